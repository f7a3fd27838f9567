/**
 * Sound and picture of one call: microphone, camera, the peer connection (JSEP, RFC 8829, with "perfect negotiation" once it
 * stands). What must stay true: sound comes before picture, and after `close` no track of ours is live.
 */
import type { CallMedia as Kind } from '@siphera/talk';
import { QualityJudge, type Quality } from './call-quality.ts';
import { CallStats } from './call-stats.ts';

/** Candidates found this soon go with the description; later ones follow on their own. On a LAN all are there. */
const gatherMsMax = 400;
/** Those that follow are sent together. */
const batchMs = 60;
const sampleMs = 2_000;
/** ICE says `disconnected` at each hiccup; this long, and it is one that people notice. */
const interruptedMs = 2_500;
const videoBpsMax = 900_000;

export type Candidate = { candidate: string; sdpMid: string | null; sdpMLineIndex: number | null };
export type MediaChoice = { microphone: string | null; camera: string | null };
export type MediaEvents = {
  state(state: 'connected' | 'interrupted' | 'failed'): void;
  candidates(found: Candidate[]): void;
  negotiate(type: 'offer' | 'answer', sdp: string): void;
  remote(stream: MediaStream): void;
  local(stream: MediaStream): void;
  quality(quality: Quality): void;
};
export type MediaOptions = {
  iceServers: RTCIceServer[];
  kind: Kind;
  /** Gives way when both negotiate at once: the one who was called. */
  polite: boolean;
  choice: MediaChoice;
  events: MediaEvents;
};

export class CallMedia {
  readonly #options: MediaOptions;
  readonly #connection: RTCPeerConnection;
  readonly #local = new MediaStream();
  readonly #remote = new MediaStream();
  readonly #judge = new QualityJudge();
  readonly #stats = new CallStats();
  readonly #early: Candidate[] = [];
  #found: Candidate[] = [];
  #batch: ReturnType<typeof setTimeout> | undefined;
  #interruption: ReturnType<typeof setTimeout> | undefined;
  #sampler: ReturnType<typeof setInterval> | undefined;
  #established = false;
  #making = false;
  #closed = false;
  #wantsVideo: boolean;
  #isPaused = false;

  constructor(options: MediaOptions) {
    this.#options = options;
    this.#wantsVideo = options.kind === 'video';
    this.#connection = new RTCPeerConnection({ iceServers: options.iceServers, bundlePolicy: 'max-bundle' });
    this.#listen();
  }

  /** Microphone (and camera) first. Without a microphone one can still listen: false then. @throws DOMException when the camera alone is refused. */
  async open(): Promise<boolean> {
    const hasMicrophone = await this.#openMicrophone();
    if (!hasMicrophone) this.#connection.addTransceiver('audio', { direction: 'recvonly' });
    if (this.#wantsVideo) await this.#openCamera();
    return hasMicrophone;
  }

  async offer(): Promise<string> {
    await this.#connection.setLocalDescription(await this.#connection.createOffer());
    return this.#described();
  }

  async answer(offer: string): Promise<string> {
    await this.#connection.setRemoteDescription({ type: 'offer', sdp: offer });
    await this.#takeEarly();
    await this.#connection.setLocalDescription(await this.#connection.createAnswer());
    this.#established = true;
    return this.#described();
  }

  async takeAnswer(sdp: string): Promise<void> {
    await this.#connection.setRemoteDescription({ type: 'answer', sdp });
    await this.#takeEarly();
    this.#established = true;
  }

  /** Those that come before the description are kept until it is there. */
  async takeCandidates(candidates: readonly Candidate[]): Promise<void> {
    if (this.#connection.remoteDescription === null) {
      this.#early.push(...candidates);
      return;
    }
    for (const candidate of candidates)
      await this.#connection.addIceCandidate(candidate).catch(() => undefined);
  }

  /** An offer or answer within the call (W3C webrtc §10.7). */
  async negotiate(type: 'offer' | 'answer', sdp: string): Promise<void> {
    const connection = this.#connection;
    if (type === 'offer') {
      const collides = this.#making || connection.signalingState !== 'stable';
      if (collides && !this.#options.polite) return;
      await connection.setRemoteDescription({ type, sdp });
      await connection.setLocalDescription();
      this.#options.events.negotiate('answer', connection.localDescription?.sdp ?? '');
      return;
    }
    if (connection.signalingState === 'have-local-offer')
      await connection.setRemoteDescription({ type, sdp });
  }

  /** With relay credentials of now: those the call began with end within the hour, and the relay is started anew each day. */
  restartIce(iceServers: RTCIceServer[] | undefined): void {
    if (this.#closed || !this.#established) return;
    if (iceServers) this.#connection.setConfiguration({ ...this.#connection.getConfiguration(), iceServers });
    this.#connection.restartIce();
  }

  setMuted(muted: boolean): void {
    for (const track of this.#local.getAudioTracks()) track.enabled = !muted;
  }

  /** Switches our picture on or off; the first time asks for the camera. */
  async setVideo(on: boolean): Promise<void> {
    this.#wantsVideo = on;
    if (on && this.#local.getVideoTracks().length === 0) await this.#openCamera();
    this.#applyVideo();
  }

  async choose(choice: MediaChoice): Promise<void> {
    this.#options.choice = choice;
    await this.#replace('audio', await microphone(choice.microphone));
    if (this.#local.getVideoTracks().length > 0) await this.#replace('video', await camera(choice.camera));
    this.#applyVideo();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#batch);
    clearTimeout(this.#interruption);
    clearInterval(this.#sampler);
    for (const track of this.#local.getTracks()) track.stop();
    this.#connection.close();
  }

  #listen(): void {
    const connection = this.#connection;
    connection.addEventListener('icecandidate', ({ candidate }) => candidate && this.#find(candidate));
    connection.addEventListener('track', ({ track }) => {
      this.#remote.addTrack(track);
      this.#options.events.remote(this.#remote);
    });
    connection.addEventListener('negotiationneeded', () => void this.#renegotiate());
    connection.addEventListener('connectionstatechange', () => this.#stateChanged());
  }

  #stateChanged(): void {
    const state = this.#connection.connectionState;
    clearTimeout(this.#interruption);
    if (state === 'connected') {
      this.#options.events.state('connected');
      this.#sampler ??= setInterval(() => void this.#sample(), sampleMs);
      void this.#limitVideo();
    } else if (state === 'disconnected')
      this.#interruption = setTimeout(() => this.#options.events.state('interrupted'), interruptedMs);
    else if (state === 'failed') this.#options.events.state('failed');
  }

  #find({ candidate, sdpMid, sdpMLineIndex }: RTCIceCandidate): void {
    if (candidate === '') return;
    this.#found.push({ candidate, sdpMid, sdpMLineIndex });
    this.#batch ??= setTimeout(() => {
      this.#batch = undefined;
      const found = this.#found.splice(0);
      if (found.length > 0 && !this.#closed) this.#options.events.candidates(found);
    }, batchMs);
  }

  /** The local description with what was gathered in time; those are not sent again. */
  async #described(): Promise<string> {
    const connection = this.#connection;
    await new Promise<void>((resolve) => {
      if (connection.iceGatheringState === 'complete') {
        resolve();
        return;
      }
      const timer = setTimeout(resolve, gatherMsMax);
      connection.addEventListener('icegatheringstatechange', () => {
        if (connection.iceGatheringState !== 'complete') return;
        clearTimeout(timer);
        resolve();
      });
    });
    const sdp = connection.localDescription?.sdp ?? '';
    this.#found = this.#found.filter(({ candidate }) => !sdp.includes(candidate));
    return sdp;
  }

  async #takeEarly(): Promise<void> {
    await this.takeCandidates(this.#early.splice(0));
  }

  async #renegotiate(): Promise<void> {
    if (!this.#established || this.#closed) return;
    this.#making = true;
    try {
      await this.#connection.setLocalDescription();
      this.#options.events.negotiate('offer', this.#connection.localDescription?.sdp ?? '');
    } finally {
      this.#making = false;
    }
  }

  async #openMicrophone(): Promise<boolean> {
    try {
      const track = await microphone(this.#options.choice.microphone);
      this.#local.addTrack(track);
      this.#connection.addTrack(track, this.#local);
      return true;
    } catch {
      return false;
    }
  }

  async #openCamera(): Promise<void> {
    const track = await camera(this.#options.choice.camera);
    this.#local.addTrack(track);
    this.#connection.addTrack(track, this.#local);
    this.#options.events.local(this.#local);
  }

  async #replace(kind: 'audio' | 'video', track: MediaStreamTrack): Promise<void> {
    const old = this.#local.getTracks().find((one) => one.kind === kind);
    track.enabled = old?.enabled ?? true;
    const sender = this.#connection.getSenders().find((one) => one.track?.kind === kind);
    if (sender) await sender.replaceTrack(track);
    else this.#connection.addTrack(track, this.#local);
    if (old) {
      this.#local.removeTrack(old);
      old.stop();
    }
    this.#local.addTrack(track);
    this.#options.events.local(this.#local);
  }

  async #sample(): Promise<void> {
    if (this.#closed) return;
    const quality = this.#judge.judge(await this.#stats.sample(this.#connection));
    this.#isPaused = quality.pauseVideo;
    this.#applyVideo();
    this.#options.events.quality(quality);
  }

  #applyVideo(): void {
    for (const track of this.#local.getVideoTracks()) track.enabled = this.#wantsVideo && !this.#isPaused;
  }

  async #limitVideo(): Promise<void> {
    for (const sender of this.#connection.getSenders()) {
      const parameters = sender.getParameters();
      const [encoding] = parameters.encodings;
      if (!encoding) continue;
      if (sender.track?.kind === 'video') encoding.maxBitrate = videoBpsMax;
      else encoding.priority = 'high';
      await sender.setParameters(parameters).catch(() => undefined);
    }
  }
}

async function microphone(id: string | null): Promise<MediaStreamTrack> {
  const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: id === null ? audio : { ...audio, deviceId: { ideal: id } },
  });
  return first(stream.getAudioTracks());
}

async function camera(id: string | null): Promise<MediaStreamTrack> {
  const video = { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 24 } };
  const stream = await navigator.mediaDevices.getUserMedia({
    video: id === null ? video : { ...video, deviceId: { ideal: id } },
  });
  return first(stream.getVideoTracks());
}

function first(tracks: MediaStreamTrack[]): MediaStreamTrack {
  const [track] = tracks;
  if (!track) throw new DOMException('The browser gave no track.', 'NotFoundError');
  return track;
}
