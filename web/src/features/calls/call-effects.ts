/**
 * Carries out what the call machine asks for: media, messages, timers, tones, history. Effects of one step run in order; those of
 * a call that is over by then do nothing.
 */
import {
  callStep,
  idleCalls,
  type Call,
  type CallContent,
  type CallEffect,
  type CallHindrance,
  type CallInput,
  type CallMedia as Kind,
  type CallRecord,
  type CallState,
  type CallTimer,
} from '@siphera/talk';
import { CallMedia, type Candidate, type MediaChoice } from './call-media.ts';
import type { Quality } from './call-quality.ts';

/** A box on the LAN answers in milliseconds; without an answer the call tries with what it has. */
const freshMsMax = 1_500;

/** What the calls of one tab need of the world. */
export type CallPort = {
  me: string;
  now(): number;
  /** Only one tab of a device answers for it: says that it rings, that it is busy, what was missed. */
  speaksForDevice(): boolean;
  send(userId: string, deviceId: string | null, content: CallContent, wake: boolean): Promise<void>;
  devicesOf(userId: string): Promise<string[]>;
  record(peerId: string, record: CallRecord): Promise<void>;
  iceServers(): Promise<RTCIceServer[]>;
  ring(on: boolean): void;
  ringback(on: boolean): void;
};

export type CallView = {
  state: CallState;
  local: MediaStream | null;
  remote: MediaStream | null;
  quality: Quality | null;
  /** No microphone: one hears and is not heard. */
  isUnheard: boolean;
  muted: boolean;
  video: boolean;
};

export class CallRunner {
  readonly #port: CallPort;
  readonly #changed: (view: CallView) => void;
  readonly #timers = new Map<CallTimer, ReturnType<typeof setTimeout>>();
  #view: CallView;
  #media: CallMedia | undefined;
  /** Found before it is known which device answers. */
  #unsent: Candidate[] = [];
  /** Calls that this tab dialled or answered: it speaks for them to the end. */
  readonly #mine = new Set<string>();
  #chain: Promise<void> = Promise.resolve();

  constructor(port: CallPort, changed: (view: CallView) => void) {
    this.#port = port;
    this.#changed = changed;
    this.#view = blank(idleCalls(port.me));
  }

  get view(): CallView {
    return this.#view;
  }

  step(input: CallInput): void {
    if (input.on === 'dial') this.#mine.add(input.id);
    const before = this.#view.state.call;
    const { state, effects } = callStep(this.#view.state, input);
    if (state === this.#view.state && effects.length === 0) return;
    const isOther = before?.id !== state.call?.id;
    if (state.call && isAnsweredHere(input, before, state.call)) this.#mine.add(state.call.id);
    if (isOther) this.#clearTimers();
    this.#set(isOther ? { ...blank(state), video: state.call?.media === 'video' } : { state });
    if (state.call?.phase === 'ended') this.#clearTimers();
    for (const effect of effects) this.#queue(effect);
    if (before?.peerDevice !== state.call?.peerDevice) this.#queueCandidates([]);
  }

  setMuted(muted: boolean): void {
    this.#media?.setMuted(muted);
    this.#set({ muted });
  }

  async setVideo(on: boolean): Promise<void> {
    await this.#media?.setVideo(on);
    this.#set({ video: on });
  }

  async choose(choice: MediaChoice): Promise<void> {
    await this.#media?.choose(choice);
  }

  choice: MediaChoice = { microphone: null, camera: null };

  #set(patch: Partial<CallView>): void {
    this.#view = { ...this.#view, ...patch };
    this.#changed(this.#view);
  }

  #queue(effect: CallEffect): void {
    const callId = this.#view.state.call?.id;
    // Tones and the end of media wait for nothing that hangs.
    if (effect.do === 'ring') {
      this.#port.ring(effect.on);
      return;
    }
    if (effect.do === 'ringback') {
      this.#port.ringback(effect.on);
      return;
    }
    if (effect.do === 'timer') {
      this.#setTimer(effect.name, effect.ms);
      return;
    }
    if (effect.do === 'close_media') {
      this.#closeMedia();
      return;
    }
    this.#chain = this.#chain
      .then(() => this.#run(effect))
      .catch((error: unknown) => {
        if (callId === undefined || !endsCall(effect)) return;
        const because = hindranceOf(error);
        this.step({ on: 'broken', id: callId, at: this.#port.now(), ...(because ? { because } : {}) });
      });
  }

  async #run(effect: CallEffect): Promise<void> {
    switch (effect.do) {
      case 'send':
        if (this.#mayTell(effect.content.call_id))
          await this.#port.send(effect.userId, effect.deviceId, effect.content, effect.wake);
        return;
      case 'send_others':
        for (const device of await this.#port.devicesOf(effect.userId))
          if (device !== effect.exceptDevice)
            await this.#port.send(effect.userId, device, effect.content, false);
        return;
      case 'make_offer':
        await this.#describe(effect.id, effect.media, false, async (media) => {
          this.step({ on: 'offer_made', id: effect.id, sdp: await media.offer() });
        });
        return;
      case 'make_answer':
        await this.#describe(effect.id, effect.media, true, async (media) => {
          this.step({ on: 'answer_made', id: effect.id, sdp: await media.answer(effect.offer) });
        });
        return;
      case 'take_answer':
        await this.#media?.takeAnswer(effect.sdp);
        return;
      case 'take_candidates':
        await this.#media?.takeCandidates(effect.candidates);
        return;
      case 'negotiate':
        await this.#media?.negotiate(effect.type, effect.sdp);
        return;
      case 'restart_ice':
        this.#media?.restartIce(await this.#freshServers());
        return;
      case 'record':
        if (this.#mayTell(effect.record.callId)) await this.#port.record(effect.peerId, effect.record);
        return;
      default:
    }
  }

  /** The network has just gone, maybe the box with it: the call does not wait long for new credentials. */
  #freshServers(): Promise<RTCIceServer[] | undefined> {
    const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), freshMsMax));
    return Promise.race([this.#port.iceServers().catch(() => undefined), late]);
  }

  #mayTell(callId: string): boolean {
    return this.#mine.has(callId) || this.#port.speaksForDevice();
  }

  async #describe(
    id: string,
    kind: Kind,
    polite: boolean,
    use: (media: CallMedia) => Promise<void>,
  ): Promise<void> {
    if (this.#view.state.call?.id !== id) return;
    this.#media?.close();
    const media = new CallMedia({
      iceServers: await this.#port.iceServers(),
      kind,
      polite,
      choice: this.choice,
      events: {
        state: (state) => this.step({ on: 'media', id, state, at: this.#port.now() }),
        candidates: (found) => this.#queueCandidates(found),
        negotiate: (type, sdp) => this.#tellPeer(id, { t: 'call', act: 'negotiate', call_id: id, type, sdp }),
        remote: (remote) => this.#set({ remote }),
        local: (local) => this.#set({ local }),
        quality: (quality) => this.#set({ quality }),
      },
    });
    this.#media = media;
    const isHeard = await media.open();
    const { call } = this.#view.state;
    // It may have ended while the browser asked for the microphone.
    if (call?.id !== id || call.phase === 'ended') {
      media.close();
      return;
    }
    media.setMuted(this.#view.muted);
    this.#set({ isUnheard: !isHeard });
    await use(media);
  }

  #queueCandidates(found: Candidate[]): void {
    this.#unsent.push(...found);
    const { call } = this.#view.state;
    if (!call || call.peerDevice === null || call.phase === 'ringing' || this.#unsent.length === 0) return;
    const candidates = this.#unsent.splice(0);
    this.#tellPeer(call.id, { t: 'call', act: 'candidates', call_id: call.id, candidates });
  }

  #tellPeer(id: string, content: CallContent): void {
    const { call } = this.#view.state;
    if (call?.id !== id || call.peerDevice === null || call.phase === 'ended') return;
    this.#queue({ do: 'send', userId: call.peerId, deviceId: call.peerDevice, content, wake: false });
  }

  #closeMedia(): void {
    this.#media?.close();
    this.#media = undefined;
    this.#unsent = [];
    this.#set({ local: null, remote: null, quality: null });
  }

  #setTimer(name: CallTimer, ms: number): void {
    const id = this.#view.state.call?.id;
    if (id === undefined) return;
    clearTimeout(this.#timers.get(name));
    this.#timers.set(
      name,
      setTimeout(() => this.step({ on: 'timer', id, name, at: this.#port.now() }), ms),
    );
  }

  #clearTimers(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}

/** What the engine says of it, where the person can do something. */
function hindranceOf(error: unknown): CallHindrance | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return code === 'keys_changed' || code === 'offline' ? code : undefined;
}

/** Without these there is no call. Others (a tone, a candidate, a line of history) are made good by what follows, or by the timers. */
function endsCall(effect: CallEffect): boolean {
  if (effect.do === 'send') return effect.content.act === 'invite' || effect.content.act === 'answer';
  return effect.do === 'make_offer' || effect.do === 'make_answer' || effect.do === 'take_answer';
}

/** Answered by a click, or by glare, where the call that this tab made has turned into theirs. */
const isAnsweredHere = (input: CallInput, before: Call | null, call: Call): boolean =>
  call.direction === 'in' &&
  call.phase === 'connecting' &&
  (input.on === 'accept' || (before !== null && before.id !== call.id));

const blank = (state: CallState): CallView => ({
  state,
  local: null,
  remote: null,
  quality: null,
  isUnheard: false,
  muted: false,
  video: false,
});
