/**
 * One engine for all tabs of a person: the tab that holds the lock runs it and answers the others over a channel. What must stay true:
 * never two engines at once (two would ruin the ratchets of one device), so the lock is waited for and never stolen; and what was
 * asked of a tab that went is asked of the next one, or refused, never forgotten.
 */
import {
  TalkError,
  type Draft,
  type TalkApi,
  type TalkChange,
  type TalkErrorCode,
  type TalkState,
} from '@siphera/talk';
import type { PersonPresence } from '#features/talk/talk.store.ts';
import { talkMethods, type TalkMethod } from '#features/talk/place/talk-methods.ts';

type Connection = { online: boolean; waiting: number };
type Failure = { code?: TalkErrorCode; message: string };
type Outcome = { ok: true; value: unknown } | { ok: false; error: Failure };
/** A term is one tab's time of leading: what is said in an old one counts no more. */
export type TabMessage =
  | { kind: 'who' }
  | { kind: 'lead'; term: string; connection: Connection; presence: PersonPresence[] }
  | { kind: 'left'; term: string }
  | { kind: 'ask'; term: string; from: string; id: string; method: TalkMethod; args: unknown[] }
  | { kind: 'answer'; to: string; id: string; outcome: Outcome }
  | { kind: 'change'; term: string; change: TalkChange }
  | { kind: 'presence'; term: string; changed: PersonPresence[] };

/** Why talk ends in this tab. */
export type StopReason = 'closed' | 'revoked';
export type TalkEngineHere = {
  api: TalkApi;
  /** Lets go of all that the engine used; on `revoked` also of what opens its store without the server. */
  end(reason: StopReason): Promise<void>;
};
export type TabWorld = {
  lockName: string;
  locks: Pick<LockManager, 'request'>;
  channel: { post(message: TabMessage): void; hear(run: (message: TabMessage) => void): void; close(): void };
  /** @param lost The browser took the engine's tables away: what it has is of no use any more. */
  openEngine(presence: (changed: PersonPresence[]) => void, lost: () => void): Promise<TalkEngineHere>;
  randomUuid(): string;
  /** Runs after so many milliseconds; answers what calls it off. */
  after(ms: number, run: () => void): () => void;
};
export type TabEvents = {
  hear(change: TalkChange): void;
  presence(known: ReadonlyMap<string, PersonPresence>): void;
  leads(isLeading: boolean): void;
};

type Pending = {
  id: string;
  method: TalkMethod;
  args: unknown[];
  /** In which term it was asked; undefined: nobody leads yet. */
  term: string | undefined;
  settle(outcome: Outcome): void;
};

/** Asked and not answered in one tab; a page that asks more is in a loop. */
const pendingMax = 1_000;
const lostWords =
  'This browser took the stored data of talk away, twice. Load the page again; if that does not help, look for a full disk.';

export class TalkTabs {
  readonly #world: TabWorld;
  readonly #events: TabEvents;
  readonly #me: string;
  readonly #pending = new Map<string, Pending>();
  readonly #presence = new Map<string, PersonPresence>();
  readonly #stopping = new AbortController();
  readonly #over = Promise.withResolvers<StopReason>();
  #connection: Connection = { online: false, waiting: 0 };
  #term: string | undefined;
  #leading = false;
  #closed = false;
  #engine: Promise<TalkEngineHere> | undefined;
  /** One that lost its tables is on its way out: no other is opened before it has gone. */
  #ending: Promise<unknown> = Promise.resolve();
  /** The one that is open, so that a loss that is told late ends no other. */
  #here: Promise<TalkEngineHere> | undefined;
  #wasLost = false;
  /** Why there is no engine any more, in words. */
  #failed: string | undefined;
  #lock: Promise<void> | undefined;

  constructor(world: TabWorld, events: TabEvents) {
    this.#world = world;
    this.#events = events;
    this.#me = world.randomUuid();
  }

  start(): void {
    const { locks, lockName, channel } = this.#world;
    channel.hear((message) => this.#onMessage(message));
    channel.post({ kind: 'who' });
    this.#lock = locks
      .request(lockName, { signal: this.#stopping.signal }, () => this.#lead())
      .catch((error: unknown) => {
        // Called off before it was this tab's turn.
        if (!this.#stopping.signal.aborted) throw error;
      });
  }

  /** Calls a method of `TalkApi` in whichever tab leads. @throws TalkError, `not_ready` also when nobody answers */
  ask(method: TalkMethod, args: unknown[]): Promise<unknown> {
    if (this.#stopping.signal.aborted || this.#pending.size >= pendingMax)
      return Promise.reject(new TalkError('not_ready', 'Talk is closed in this tab'));
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const id = this.#world.randomUuid();
    const calledOff = this.#world.after(talkMethods[method].msMax, () =>
      entry.settle(failure('not_ready', 'The tab that runs talk does not answer')),
    );
    const entry: Pending = {
      id,
      method,
      args: this.#named(method, args),
      term: undefined,
      settle: (outcome) => {
        if (!this.#pending.delete(id)) return;
        calledOff();
        if (outcome.ok) resolve(outcome.value);
        else reject(toError(outcome.error));
      },
    };
    this.#pending.set(id, entry);
    this.#deliver(entry);
    return promise;
  }

  /** Ends talk in this tab; another one leads then. */
  async stop(reason: StopReason): Promise<void> {
    if (this.#stopping.signal.aborted) return this.#lock;
    this.#stopping.abort();
    this.#over.resolve(reason);
    for (const entry of [...this.#pending.values()])
      entry.settle(failure('not_ready', 'Talk is closed in this tab'));
    await this.#lock;
    this.#closed = true;
    this.#world.channel.close();
  }

  /** A message has its id from here, so that asking twice sends once. */
  #named(method: TalkMethod, args: unknown[]): unknown[] {
    if (method !== 'send') return args;
    const [conversation, draft] = args as Parameters<TalkApi['send']>;
    return [conversation, { ...draft, id: draft.id ?? this.#world.randomUuid() } satisfies Draft];
  }

  async #lead(): Promise<void> {
    const { channel, randomUuid } = this.#world;
    if (this.#stopping.signal.aborted) return;
    const term = randomUuid();
    this.#leading = true;
    this.#events.leads(true);
    this.#presence.clear();
    this.#connection = { online: false, waiting: 0 };
    this.#say(term);
    this.#begin(term);
    await this.#run();
    const reason = await this.#over.promise;
    this.#leading = false;
    this.#events.leads(false);
    const engine = await this.#engine?.catch(() => undefined);
    await engine?.end(reason);
    await this.#ending;
    channel.post({ kind: 'left', term });
  }

  /** The engine, made when it is asked for; one that could not be made is tried again by the next who asks. */
  #run(): Promise<TalkEngineHere | undefined> {
    if (this.#failed !== undefined) return Promise.resolve(undefined);
    const engine = (this.#engine ??= this.#open());
    return engine.catch((error: unknown) => {
      if (this.#engine !== engine) return undefined;
      this.#engine = undefined;
      // Opened anew because its tables were lost, and lost for good.
      if (this.#wasLost) this.#fail(toFailure(error).message);
      return undefined;
    });
  }

  async #open(): Promise<TalkEngineHere> {
    await this.#ending;
    const lost = (): void => this.#onLost(opened);
    const opened = this.#world.openEngine((changed) => this.#onPresence(changed), lost);
    const engine = await opened;
    this.#here = opened;
    engine.api.subscribe((change) => this.#onEngineChange(change));
    this.#onEngineChange({ what: 'state' });
    return engine;
  }

  /** Opens the engine anew, once: what it had written is there, unless the browser has deleted it. */
  #onLost(opened: Promise<TalkEngineHere>): void {
    if (this.#here !== opened || this.#stopping.signal.aborted) return;
    this.#here = undefined;
    this.#engine = undefined;
    this.#ending = opened.then((engine) => engine.end('closed')).catch(() => undefined);
    if (this.#wasLost) {
      this.#fail(lostWords);
      return;
    }
    this.#wasLost = true;
    void this.#run();
  }

  #fail(words: string): void {
    this.#failed = words;
    this.#onEngineChange({ what: 'state' });
  }

  #onEngineChange(change: TalkChange): void {
    if (!this.#leading || this.#term === undefined) return;
    if (change.what === 'connection') this.#connection = { online: change.online, waiting: change.waiting };
    this.#world.channel.post({ kind: 'change', term: this.#term, change });
    this.#events.hear(change);
  }

  #onPresence(changed: PersonPresence[]): void {
    if (!this.#leading || this.#term === undefined) return;
    this.#world.channel.post({ kind: 'presence', term: this.#term, changed });
    this.#learnPresence(changed);
  }

  #learnPresence(changed: readonly PersonPresence[]): void {
    for (const one of changed) this.#presence.set(one.user_id, one);
    this.#events.presence(this.#presence);
  }

  #onMessage(message: TabMessage): void {
    switch (message.kind) {
      case 'who':
        if (this.#leading && this.#term !== undefined) this.#say(this.#term);
        return;
      case 'lead':
        this.#onLead(message);
        return;
      case 'left':
        if (this.#term === message.term) this.#term = undefined;
        return;
      case 'ask':
        if (this.#leading && message.term === this.#term) void this.#answer(message);
        return;
      case 'answer':
        if (message.to === this.#me) this.#pending.get(message.id)?.settle(message.outcome);
        return;
      case 'change':
        if (!this.#leading && message.term === this.#term) this.#events.hear(message.change);
        return;
      case 'presence':
        if (!this.#leading && message.term === this.#term) this.#learnPresence(message.changed);
    }
  }

  #say(term: string): void {
    const presence = [...this.#presence.values()];
    this.#world.channel.post({ kind: 'lead', term, connection: this.#connection, presence });
  }

  #onLead({ term, connection, presence }: Extract<TabMessage, { kind: 'lead' }>): void {
    if (this.#leading || this.#stopping.signal.aborted) return;
    if (term === this.#term) return;
    this.#begin(term);
    this.#learnPresence(presence);
    this.#events.hear({ what: 'connection', ...connection });
    this.#events.hear({ what: 'state' });
  }

  /** Somebody leads from now on: what waits is asked of him, and what was asked before is asked again where that is safe. */
  #begin(term: string): void {
    this.#term = term;
    for (const entry of [...this.#pending.values()]) {
      if (entry.term === undefined || talkMethods[entry.method].repeat) this.#deliver(entry);
      else entry.settle(failure('not_ready', 'The tab that ran talk was closed; look whether it was done'));
    }
  }

  #deliver(entry: Pending): void {
    const { id, method, args } = entry;
    entry.term = this.#term;
    if (this.#term === undefined) return;
    if (this.#leading) {
      void this.#perform(method, args).then(entry.settle);
      return;
    }
    try {
      this.#world.channel.post({ kind: 'ask', term: this.#term, from: this.#me, id, method, args });
    } catch (thrown) {
      // What cannot be cloned cannot be asked of any other tab either.
      entry.settle({ ok: false, error: toFailure(thrown) });
    }
  }

  async #answer({ from, id, method, args }: Extract<TabMessage, { kind: 'ask' }>): Promise<void> {
    const outcome = Object.hasOwn(talkMethods, method)
      ? await this.#perform(method, args)
      : failure('not_ready', 'Another tab has an older version of the console; load it again');
    // Talk was ended here while the engine worked: who asked asks the next tab.
    if (!this.#closed) this.#world.channel.post({ kind: 'answer', to: from, id, outcome });
  }

  async #perform(method: TalkMethod, args: unknown[]): Promise<Outcome> {
    const engine = await this.#run();
    if (this.#failed !== undefined && method === 'state')
      return { ok: true, value: { is: 'failed', reason: this.#failed } satisfies TalkState };
    if (!engine) return failure('not_ready', this.#failed ?? 'Talk could not be opened');
    try {
      const call = engine.api[method] as (...args: unknown[]) => Promise<unknown>;
      return { ok: true, value: await call.apply(engine.api, args) };
    } catch (thrown) {
      return { ok: false, error: toFailure(thrown) };
    }
  }
}

const failure = (code: TalkErrorCode, message: string): Outcome => ({ ok: false, error: { code, message } });

/** A clone between tabs keeps of an error its message alone. */
function toFailure(thrown: unknown): Failure {
  if (thrown instanceof TalkError) return { code: thrown.code, message: thrown.message };
  return { message: thrown instanceof Error ? thrown.message : String(thrown) };
}
const toError = ({ code, message }: Failure): Error =>
  code === undefined ? new Error(message) : new TalkError(code, message);
