/**
 * Calls of the softphone. What must stay true: one talks in one call at a time (the others are held first), a call that ended lets go of
 * the microphone, and one that cannot be heard says so instead of failing.
 */
import {
  endBy,
  type AgentCall,
  type CallEnd,
  type CallEvents,
  type IncomingCall,
  type IncomingTransfer,
  type SipAgent,
} from './agent/agent-types.ts';
import { endWord } from './call-end.ts';
import type { LineCall, LineCommand } from './line-types.ts';

/** Calls at once, ringing and held ones too; a further one hears the busy tone. */
const callsMax = 4;
/** The end of a call is on the screen this long; what has to be read, longer. */
const shownMs = 7_000;
const readMs = 25_000;
const tonesMax = 32;

/** `knock`: somebody waits while one talks. */
export type CallSound = 'ring' | 'ringback' | 'knock' | 'none';
export type CallSpeaker = {
  play(stream: MediaStream): void;
  silence(on: boolean): void;
  stop(): void;
  choose(): void;
};
export type CallWorld = {
  now(): number;
  randomUuid(): string;
  /** Runs later; answers what calls it off. */
  after(ms: number, run: () => void): () => void;
  microphone(): Promise<MediaStream | undefined>;
  silence(): MediaStream | undefined;
  letGo(stream: MediaStream | undefined): void;
  speaker(): CallSpeaker;
  sound(kind: CallSound): void;
  isEmergency(number: string): boolean;
  changed(): void;
  /** Somebody called, and nobody of the house answered. */
  missed(call: LineCall): void;
};

type Entry = {
  view: LineCall;
  call: AgentCall | undefined;
  speaker: CallSpeaker;
  stream: MediaStream | undefined;
  hungUp: boolean;
};

export class PhoneCalls {
  readonly #world: CallWorld;
  readonly #entries = new Map<string, Entry>();
  #agent: SipAgent | undefined;
  #sound: CallSound = 'none';

  constructor(world: CallWorld) {
    this.#world = world;
  }

  get views(): readonly LineCall[] {
    return [...this.#entries.values()].map(({ view }) => view);
  }

  use(agent: SipAgent | undefined): void {
    this.#agent = agent;
    if (!agent) this.#entries.clear();
    this.#changed();
  }

  async run(command: LineCommand): Promise<void> {
    if (command.act === 'dial') return this.#dial(command.number, command.name);
    if (command.act === 'devices') return this.#devices();
    const entry = this.#entries.get(command.id);
    if (!entry) return;
    switch (command.act) {
      case 'answer':
        return this.#answer(entry);
      case 'hang_up':
        this.#hangUp(entry);
        return;
      case 'dismiss':
        if (entry.view.phase === 'ended') this.#entries.delete(command.id);
        break;
      case 'hold':
        if (!command.on) await this.#holdOthers(command.id);
        await this.#hold(entry, command.on);
        break;
      case 'mute':
        entry.call?.mute(command.on);
        this.#set(entry, { muted: command.on });
        return;
      case 'digits':
        entry.call?.digits(command.tones.slice(0, tonesMax));
        return;
      case 'transfer':
        return this.#transfer(entry, command.number);
    }
    this.#changed();
  }

  /** A call comes in. */
  ring(incoming: IncomingCall): void {
    if (this.#live().length >= callsMax) {
      incoming.call.refuse(486);
      return;
    }
    const entry = this.#add({
      callId: incoming.call.callId,
      direction: 'in',
      number: incoming.number,
      name: incoming.name,
      phase: 'ringing',
    });
    entry.call = incoming.call;
    incoming.listen(this.#events(entry));
    this.#changed();
  }

  async #dial(number: string, name: string): Promise<void> {
    if (!this.#agent || this.#live().length >= callsMax) return;
    const entry = this.#add({ callId: '', direction: 'out', number, name, phase: 'dialling' });
    this.#changed();
    await this.#holdOthers(entry.view.id);
    await this.#openMedia(entry);
    if (entry.hungUp) {
      this.#end(entry, endBy('us'));
      return;
    }
    entry.call = this.#agent.call({
      number,
      stream: entry.stream,
      headers: [],
      events: this.#events(entry),
    });
    this.#set(entry, { callId: entry.call.callId });
  }

  async #answer(entry: Entry): Promise<void> {
    if (entry.view.direction !== 'in' || entry.view.phase !== 'ringing' || entry.stream) return;
    await this.#holdOthers(entry.view.id);
    await this.#openMedia(entry);
    if (entry.view.phase !== 'ringing') {
      // Whoever called has hung up meanwhile.
      this.#world.letGo(entry.stream);
      return;
    }
    entry.call?.answer(entry.stream);
  }

  #hangUp(entry: Entry): void {
    entry.hungUp = true;
    if (entry.view.direction === 'in' && entry.view.phase === 'ringing') entry.call?.refuse(603);
    else entry.call?.hangUp();
  }

  async #openMedia(entry: Entry): Promise<void> {
    const heard = await this.#world.microphone();
    entry.stream = heard ?? this.#world.silence();
    this.#set(entry, { unheard: heard === undefined });
  }

  async #hold(entry: Entry, on: boolean): Promise<void> {
    if (entry.view.phase !== 'connected' || entry.view.held === on) return;
    if (await entry.call?.hold(on)) this.#set(entry, { held: on });
  }

  async #holdOthers(id: string): Promise<void> {
    for (const other of this.#entries.values()) if (other.view.id !== id) await this.#hold(other, true);
  }

  async #transfer(entry: Entry, number: string): Promise<void> {
    if (entry.view.phase !== 'connected' || !entry.call || entry.view.transfer === 'asked') return;
    this.#set(entry, { transfer: 'asked' });
    const { ok } = await entry.call.transfer(number);
    if (ok) this.#hangUp(entry);
    else this.#set(entry, { transfer: 'refused' });
  }

  /** They give us to somebody else. The old call is theirs to end; nobody sends us to an emergency number. */
  async #follow(entry: Entry, transfer: IncomingTransfer): Promise<void> {
    const isFull = this.#live().length >= callsMax;
    if (entry.view.phase !== 'connected' || isFull || this.#world.isEmergency(transfer.number)) {
      transfer.refuse();
      return;
    }
    const next = this.#add({
      callId: '',
      direction: 'out',
      number: transfer.number,
      name: '',
      phase: 'dialling',
    });
    await this.#openMedia(next);
    try {
      next.call = transfer.take(next.stream, this.#events(next));
      this.#set(next, { callId: next.call.callId });
    } catch {
      this.#end(next, endBy('line'));
    }
  }

  /** Another microphone or loudspeaker was chosen. */
  async #devices(): Promise<void> {
    for (const entry of this.#live()) {
      entry.speaker.choose();
      if (entry.view.phase !== 'connected') continue;
      const next = await this.#world.microphone();
      const [track] = next?.getAudioTracks() ?? [];
      if (!next || !track) continue;
      await entry.call?.replaceMicrophone(track);
      this.#world.letGo(entry.stream);
      entry.stream = next;
      this.#set(entry, { unheard: false });
    }
  }

  #events(entry: Entry): CallEvents {
    return {
      taken: () => undefined,
      progress: (early) => {
        if (entry.view.direction === 'out')
          this.#set(entry, { phase: 'ringing', early: entry.view.early || early });
      },
      answered: () => {
        this.#set(entry, {
          phase: 'connected',
          connectedAt: this.#world.now(),
          callId: entry.call?.callId ?? entry.view.callId,
        });
      },
      ended: (end) => this.#end(entry, end),
      remote: (stream) => entry.speaker.play(stream),
      heldByThem: (held) => this.#set(entry, { heldByThem: held }),
      transferred: (transfer) => void this.#follow(entry, transfer),
    };
  }

  #end(entry: Entry, end: CallEnd): void {
    if (entry.view.phase === 'ended') return;
    const wasAnswered = entry.view.connectedAt !== null;
    const word = entry.hungUp ? 'hangup' : endWord(end, { direction: entry.view.direction, wasAnswered });
    entry.speaker.stop();
    this.#world.letGo(entry.stream);
    this.#set(entry, { phase: 'ended', end: { word, reason: end.reason, nearestPhone: end.nearestPhone } });
    if (word === 'missed') this.#world.missed(entry.view);
    const isShort = word === 'hangup' || word === 'elsewhere';
    this.#world.after(isShort ? shownMs : readMs, () => {
      if (this.#entries.delete(entry.view.id)) this.#changed();
    });
  }

  #add(known: Pick<LineCall, 'callId' | 'direction' | 'number' | 'name' | 'phase'>): Entry {
    const view: LineCall = {
      ...known,
      id: this.#world.randomUuid(),
      early: false,
      held: false,
      heldByThem: false,
      muted: false,
      unheard: false,
      startedAt: this.#world.now(),
      connectedAt: null,
      transfer: 'none',
      end: null,
    };
    this.#clear();
    const entry: Entry = {
      view,
      call: undefined,
      speaker: this.#world.speaker(),
      stream: undefined,
      hungUp: false,
    };
    this.#entries.set(view.id, entry);
    return entry;
  }

  /** A call that begins takes the place of those that are over and need no reading. */
  #clear(): void {
    for (const [id, { view }] of this.#entries)
      if (view.end?.word === 'hangup' || view.end?.word === 'elsewhere') this.#entries.delete(id);
  }

  #live(): Entry[] {
    return [...this.#entries.values()].filter(({ view }) => view.phase !== 'ended');
  }

  #set(entry: Entry, patch: Partial<LineCall>): void {
    entry.view = { ...entry.view, ...patch };
    entry.speaker.silence(entry.view.held);
    this.#changed();
  }

  #changed(): void {
    const live = this.#live().map(({ view }) => view);
    const rings = live.some(({ direction, phase }) => direction === 'in' && phase === 'ringing');
    const talks = live.some(
      ({ direction, phase, held }) => !held && (phase === 'connected' || direction === 'out'),
    );
    const waits = live.some(
      ({ direction, phase, early }) => direction === 'out' && phase === 'ringing' && !early,
    );
    const sound = rings ? (talks ? 'knock' : 'ring') : waits ? 'ringback' : 'none';
    // The same one goes on: begun anew at each change it would stutter.
    if (sound !== this.#sound) this.#world.sound(sound);
    this.#sound = sound;
    this.#world.changed();
  }
}
