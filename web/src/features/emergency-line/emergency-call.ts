/**
 * The emergency call of this screen. What must stay true: it goes without a sign-in, without a microphone and without any service of
 * ours; it never waits for a question of the browser; a call that anything came back to is never given up by us; what did not come about
 * and may pass is tried again.
 */
import { shallowRef } from 'vue';
import {
  endBy,
  type AgentCall,
  type CallEnd,
  type CallEvents,
  type IncomingCall,
  type MakeAgent,
  type SipAgent,
} from '#features/phone/agent/agent-types.ts';

/** Asking for a microphone was begun when the screen opened; the call goes without once this is over. */
const microphoneMsMax = 1_500;
/** A pause before the next try: long enough for a restarting switch, short for somebody who waits. */
const retryMs = 1_500;
/** Answers that say "not now": everything else is final until one presses again. */
const triesMax = 4;
/** An INVITE to which not even a 100 came: the way to the box is broken in a manner the websocket has not noticed. */
const answerMsMax = 8_000;
/** What a server may ask us to wait: nobody who calls for help waits longer for a number in a header. */
const retryAfterMsMax = 15_000;

export type EmergencyPhase =
  'asking' | 'connecting' | 'dialling' | 'ringing' | 'connected' | 'ended' | 'callback';
export type EmergencyView = {
  phase: EmergencyPhase;
  number: string;
  /** Opened to the box. */
  isUp: boolean;
  tries: number;
  muted: boolean;
  /** No microphone: they cannot hear. */
  unheard: boolean;
  connectedAt: number | null;
  end: CallEnd | null;
  nearestPhone: string | null;
};
export type EmergencyWorld = {
  makeAgent(): Promise<MakeAgent>;
  now(): number;
  after(ms: number, run: () => void): () => void;
  microphone(): Promise<MediaStream | undefined>;
  silence(): MediaStream | undefined;
  letGo(stream: MediaStream | undefined): void;
  speaker: { play(stream: MediaStream): void; stop(): void };
  sound(kind: 'ring' | 'ringback' | 'none'): void;
};
export type EmergencyPlace = {
  url: string;
  domain: string;
  caller: { number: string; name: string } | undefined;
};

const begin: EmergencyView = {
  phase: 'asking',
  number: '',
  isUp: false,
  tries: 0,
  muted: false,
  unheard: false,
  connectedAt: null,
  end: null,
  nearestPhone: null,
};

export class EmergencyCall {
  readonly view = shallowRef<EmergencyView>(begin);
  readonly #world: EmergencyWorld;
  readonly #place: EmergencyPlace;
  #makeAgent: MakeAgent | undefined;
  #agent: SipAgent | undefined;
  #call: AgentCall | undefined;
  #incoming: IncomingCall | undefined;
  #microphone: Promise<MediaStream | undefined> | undefined;
  #stream: MediaStream | undefined;
  #locationId: string | null = null;
  #callOff: (() => void) | undefined;
  #turn = 0;
  #closed = false;

  constructor(world: EmergencyWorld, place: EmergencyPlace) {
    this.#world = world;
    this.#place = place;
  }

  /** Connects and asks for the microphone while the caller still reads, so that the call itself waits for neither. */
  async open(): Promise<void> {
    this.#microphone ??= this.#world.microphone();
    const makeAgent = await this.#world.makeAgent().catch(() => undefined);
    if (this.#closed) return;
    if (!makeAgent) {
      // The file of the SIP stack did not come: the box is away, and may come back.
      this.#world.after(retryMs, () => void this.open());
      return;
    }
    this.#makeAgent = makeAgent;
    this.#connect(makeAgent);
  }

  #connect(makeAgent: MakeAgent): void {
    const { url, domain, caller } = this.#place;
    const agent: SipAgent = makeAgent(
      {
        uri: `sip:${caller?.number ?? 'anonymous'}@${domain}`,
        url,
        displayName: caller?.name ?? '',
        login: undefined,
      },
      {
        connected: (isUp) => agent === this.#agent && this.#connected(isUp),
        registered: () => undefined,
        incoming: (incoming) => this.#calledBack(incoming),
        message: () => undefined,
      },
    );
    this.#agent = agent;
    agent.start();
  }

  /** The confirming press. */
  dial(number: string, locationId: string | null): void {
    if (this.#isOn()) return;
    this.#locationId = locationId;
    this.#begin({ number, phase: 'connecting' });
    void this.#try();
  }

  hangUp(): void {
    this.#turn += 1;
    this.#callOff?.();
    const call = this.#call;
    this.#call = undefined;
    call?.hangUp();
    if (this.view.value.phase === 'callback') this.#incoming?.call.refuse(480);
    this.#over(endBy('us'));
  }

  async answer(): Promise<void> {
    const incoming = this.#incoming;
    if (this.view.value.phase !== 'callback' || !incoming) return;
    await this.#openMedia();
    if (this.#incoming !== incoming) return;
    this.#call = incoming.call;
    incoming.call.answer(this.#stream);
  }

  mute(on: boolean): void {
    this.#call?.mute(on);
    this.#set({ muted: on });
  }

  digits(tones: string): void {
    this.#call?.digits(tones);
  }

  close(): void {
    this.#closed = true;
    this.#turn += 1;
    this.#callOff?.();
    this.#call?.hangUp();
    this.#agent?.stop();
    this.#world.sound('none');
    this.#world.speaker.stop();
    this.#world.letGo(this.#stream);
    void this.#microphone?.then((stream) => this.#world.letGo(stream));
  }

  #isOn(): boolean {
    return !['asking', 'ended'].includes(this.view.value.phase);
  }

  #connected(isUp: boolean): void {
    this.#set({ isUp });
    if (isUp && this.view.value.phase === 'connecting') void this.#try();
  }

  async #try(): Promise<void> {
    this.#turn += 1;
    const turn = this.#turn;
    this.#callOff?.();
    if (!this.view.value.isUp || !this.#agent) return;
    await this.#openMedia();
    if (turn !== this.#turn || !this.#agent) return;
    this.#set({ phase: 'dialling', tries: this.view.value.tries + 1 });
    const isMine = (): boolean => turn === this.#turn;
    this.#callOff = this.#world.after(answerMsMax, () => isMine() && this.#unanswered());
    try {
      this.#call = this.#agent.call({
        number: this.view.value.number,
        stream: this.#stream,
        headers: this.#locationId === null ? [] : [`X-Siphera-Location: ${this.#locationId}`],
        events: this.#events(isMine),
      });
    } catch {
      // A browser that makes no connection for sound now.
      this.#failed(endBy('us'));
    }
  }

  /** Nothing came back, on a connection that says it is up: the next try gets one of its own. */
  #unanswered(): void {
    this.#turn += 1;
    this.#call?.hangUp();
    this.#agent?.stop();
    this.#set({ isUp: false });
    if (this.#makeAgent) this.#connect(this.#makeAgent);
    this.#failed(endBy('line', 408));
  }

  #events(isMine: () => boolean): CallEvents {
    const mine = (run: () => void): void => {
      if (isMine() && !this.#closed) run();
    };
    return {
      // From here on only the caller gives it up, or who has it, or the connection.
      taken: () => mine(() => this.#callOff?.()),
      progress: (early) =>
        mine(() => {
          if (this.view.value.phase !== 'dialling' && !early) return;
          this.#world.sound(early ? 'none' : 'ringback');
          this.#set({ phase: 'ringing' });
        }),
      answered: () =>
        mine(() => {
          this.#world.sound('none');
          this.#set({ phase: 'connected', connectedAt: this.#world.now(), end: null, nearestPhone: null });
        }),
      ended: (end) => mine(() => this.#failed(end)),
      remote: (stream) => mine(() => this.#world.speaker.play(stream)),
      heldByThem: () => undefined,
      transferred: (transfer) => transfer.refuse(),
    };
  }

  /** Ended by them or the line: what never came about is tried again. */
  #failed(end: CallEnd): void {
    this.#callOff?.();
    const { connectedAt, tries } = this.view.value;
    const mayPass = end.code === null || end.code === 408 || end.code === 480 || end.code >= 500;
    if (connectedAt !== null || !mayPass || tries >= triesMax || this.#incoming) {
      this.#over(end);
      return;
    }
    this.#world.sound('none');
    this.#call = undefined;
    this.#set({ phase: 'connecting', end, nearestPhone: end.nearestPhone ?? this.view.value.nearestPhone });
    const pauseMs = Math.min(retryAfterMsMax, Math.max(retryMs, end.retryAfterMs ?? 0));
    this.#callOff = this.#world.after(pauseMs, () => void this.#try());
  }

  #over(end: CallEnd): void {
    this.#call = undefined;
    this.#incoming = undefined;
    this.#world.sound('none');
    this.#world.speaker.stop();
    this.#set({ phase: 'ended', end, nearestPhone: end.nearestPhone ?? this.view.value.nearestPhone });
  }

  /** Whoever was called rings back on the same connection. */
  #calledBack(incoming: IncomingCall): void {
    if (this.#isOn()) {
      incoming.call.refuse(486);
      return;
    }
    this.#turn += 1;
    const turn = this.#turn;
    this.#incoming = incoming;
    this.#begin({ number: incoming.number, phase: 'callback' });
    this.#world.sound('ring');
    incoming.listen(this.#events(() => turn === this.#turn));
  }

  async #openMedia(): Promise<void> {
    if (this.#stream) return;
    const asked = (this.#microphone ??= this.#world.microphone());
    const late = Symbol('late');
    const heard = await Promise.race([
      asked,
      new Promise<typeof late>((resolve) => this.#world.after(microphoneMsMax, () => resolve(late))),
    ]);
    const stream = heard === late ? undefined : heard;
    this.#stream = stream ?? this.#world.silence();
    this.#set({ unheard: stream === undefined });
    if (heard === late) void asked.then((came) => this.#takeLate(came));
  }

  /** Allowed when the call was under way already. */
  async #takeLate(stream: MediaStream | undefined): Promise<void> {
    const [track] = stream?.getAudioTracks() ?? [];
    if (!stream || !track || this.#closed) return;
    this.#stream = stream;
    await this.#call?.replaceMicrophone(track).catch(() => undefined);
    this.#set({ unheard: false });
  }

  /** A new call on the same line, with the same microphone or none. */
  #begin(patch: Partial<EmergencyView>): void {
    const { isUp, unheard } = this.view.value;
    this.#set({ ...begin, isUp, unheard, ...patch });
  }

  #set(patch: Partial<EmergencyView>): void {
    this.view.value = { ...this.view.value, ...patch };
  }
}
