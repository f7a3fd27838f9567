/**
 * A browser with tabs, as far as tabs see one another: locks, channels, and a store that outlives each tab. A tab that is killed runs not
 * one step more; its lock is free at once. Messages arrive later, in the order in which one tab sent them.
 */
import { TalkError, type Draft, type TalkApi, type TalkChange } from '@siphera/talk';
import {
  TalkTabs,
  type StopReason,
  type TabMessage,
  type TabWorld,
  type TalkEngineHere,
} from '#features/talk/place/tabs.ts';
import type { PersonPresence } from '#features/talk/talk.store.ts';

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const never = new Promise<never>(() => undefined);
export async function ticks(count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) await tick();
}

type Waiting = { tab: FakeTab; run: () => Promise<unknown>; done: (value: unknown) => void };

export class FakeTab {
  readonly browser: FakeBrowser;
  readonly tabs: TalkTabs;
  readonly heard: TalkChange[] = [];
  readonly timers: (() => void)[] = [];
  hears: ((message: TabMessage) => void)[] = [];
  presence: ReadonlyMap<string, PersonPresence> = new Map();
  leads = false;
  alive = true;

  constructor(browser: FakeBrowser) {
    this.browser = browser;
    this.tabs = new TalkTabs(this.#world(), {
      hear: (change) => void this.heard.push(change),
      presence: (known) => {
        this.presence = new Map(known);
      },
      leads: (isLeading) => {
        this.leads = isLeading;
      },
    });
    this.tabs.start();
  }

  send(text: string): Promise<unknown> {
    return this.tabs.ask('send', ['d:someone', { body: text } satisfies Draft]);
  }

  #world(): TabWorld {
    const { browser } = this;
    return {
      lockName: 'siphera-talk:someone',
      locks: { request: (...args: unknown[]) => browser.lock(this, args) },
      channel: {
        post: (message) => browser.post(this, message),
        hear: (run) => this.hears.push(run),
        close: () => {
          this.hears = [];
        },
      },
      openEngine: (presence, lost) => browser.openEngine(this, presence, lost),
      randomUuid: () => crypto.randomUUID(),
      after: (_ms, run) => {
        this.timers.push(run);
        return () => this.timers.splice(this.timers.indexOf(run), 1);
      },
    };
  }
}

export class FakeBrowser {
  /** What the engine of whichever tab has sent, by message id, in order. */
  readonly sent = new Map<string, string>();
  readonly groups: string[] = [];
  readonly ended: StopReason[] = [];
  /** Steps that an engine takes before it has written, and before it answers. */
  slowness = { before: 1, after: 1 };
  openFails = 0;
  enginesOpen = 0;
  enginesMost = 0;
  engine:
    | {
        tab: FakeTab;
        tell: (change: TalkChange) => void;
        presence: (p: PersonPresence[]) => void;
        lost: () => void;
      }
    | undefined;
  #all: FakeTab[] = [];
  #holder: FakeTab | undefined;
  #queue: Waiting[] = [];

  openTab(): FakeTab {
    const tab = new FakeTab(this);
    this.#all.push(tab);
    return tab;
  }

  kill(tab: FakeTab): void {
    tab.alive = false;
    tab.hears = [];
    this.#queue = this.#queue.filter((waiting) => waiting.tab !== tab);
    if (this.engine?.tab === tab) {
      this.engine = undefined;
      this.enginesOpen -= 1;
    }
    if (this.#holder === tab) this.#grantNext();
  }

  post(from: FakeTab, message: TabMessage): void {
    if (!from.alive) return;
    const copy = structuredClone(message);
    void tick().then(() => {
      for (const tab of this.#all) if (tab !== from && tab.alive) for (const run of tab.hears) run(copy);
    });
  }

  /** `navigator.locks.request(name, options, run)`. */
  lock(tab: FakeTab, args: unknown[]): Promise<unknown> {
    const [, { signal }, run] = args as [string, { signal: AbortSignal }, () => Promise<unknown>];
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const waiting: Waiting = { tab, run, done: resolve };
    this.#queue.push(waiting);
    signal.addEventListener('abort', () => {
      if (!this.#queue.includes(waiting)) return;
      this.#queue = this.#queue.filter((one) => one !== waiting);
      reject(new DOMException('called off', 'AbortError'));
    });
    if (!this.#holder) this.#grantNext();
    return promise;
  }

  #grantNext(): void {
    const next = this.#queue.shift();
    this.#holder = next?.tab;
    if (!next) return;
    void tick()
      .then(() => (next.tab.alive ? next.run() : never))
      .then((value) => {
        if (!next.tab.alive) return;
        next.done(value);
        this.#grantNext();
      });
  }

  async openEngine(
    tab: FakeTab,
    presence: (changed: PersonPresence[]) => void,
    lost: () => void,
  ): Promise<TalkEngineHere> {
    await tick();
    if (!tab.alive) return never;
    if (this.openFails > 0) {
      this.openFails -= 1;
      throw new Error('the wasm did not come');
    }
    this.enginesOpen += 1;
    this.enginesMost = Math.max(this.enginesMost, this.enginesOpen);
    const listeners = new Set<(change: TalkChange) => void>();
    this.engine = { tab, presence, lost, tell: (change) => listeners.forEach((hear) => hear(change)) };
    return {
      api: this.#api(tab, listeners),
      end: async (reason) => {
        await tick();
        this.ended.push(reason);
        this.enginesOpen -= 1;
        this.engine = undefined;
      },
    };
  }

  /** Of the engine what these tests ask: like it, a send is in the store before it is answered, and an id is sent once. */
  #api(tab: FakeTab, listeners: Set<(change: TalkChange) => void>): TalkApi {
    const step = async (count: number): Promise<void> => {
      await ticks(count);
      if (!tab.alive) await never;
    };
    const api: Partial<TalkApi> = {
      state: async () => ({ is: 'absent' }),
      subscribe: (hear) => {
        listeners.add(hear);
        return () => listeners.delete(hear);
      },
      send: async (_conversation, draft) => {
        await step(this.slowness.before);
        const { id } = draft;
        if (id === undefined) throw new Error('a message without an id');
        if (!this.sent.has(id)) this.sent.set(id, draft.body);
        await step(this.slowness.after);
        return id;
      },
      createGroup: async ({ name }) => {
        await step(this.slowness.before);
        this.groups.push(name);
        await step(this.slowness.after);
        return `r:${name}`;
      },
      acceptKeys: () => Promise.reject(new TalkError('keys_changed', 'look first')),
      markRead: () => Promise.reject(new RangeError('out of it')),
    };
    return api as TalkApi;
  }
}
