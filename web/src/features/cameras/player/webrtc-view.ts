/**
 * A live picture by WebRTC: the box offers, the browser answers with all its candidates at once. What must stay true: the view
 * counts as connected only when a picture was really drawn; whatever goes wrong before that is an error of `connect`, whatever
 * goes wrong after it is told once by `lost`.
 */
export type WebRtcApi = {
  offer: (signal: AbortSignal) => Promise<{ session_id: string; sdp: string }>;
  answer: (id: string, sdp: string) => Promise<void>;
  end: (id: string) => Promise<void>;
};

/** On a LAN a picture is there within a second; a key frame may be some seconds away. */
const firstPictureMs = 12_000;
const gatherMs = 1_000;
/** A short break of the network heals by itself. */
const disconnectedMs = 4_000;

export class WebRtcView {
  readonly #video: HTMLVideoElement;
  readonly #api: WebRtcApi;
  readonly #lost: () => void;
  #peer: RTCPeerConnection | undefined;
  #session: string | undefined;
  #closed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(video: HTMLVideoElement, api: WebRtcApi, lost: () => void) {
    this.#video = video;
    this.#api = api;
    this.#lost = lost;
  }

  /** Resolves when the first picture was drawn. */
  async connect(signal: AbortSignal): Promise<void> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(firstPictureMs)]);
    try {
      const offer = await this.#api.offer(limit);
      this.#session = offer.session_id;
      const peer = new RTCPeerConnection();
      this.#peer = peer;
      peer.addEventListener('track', (event) => this.#show(event));
      await peer.setRemoteDescription({ type: 'offer', sdp: offer.sdp });
      await peer.setLocalDescription(await peer.createAnswer());
      await gathered(peer);
      if (!/^m=video [1-9]/m.test(peer.localDescription?.sdp ?? ''))
        throw new Error('The browser does not take this codec by WebRTC');
      if (limit.aborted || this.#closed) throw new Error('Too late');
      await this.#api.answer(offer.session_id, peer.localDescription?.sdp ?? '');
      await firstPicture(this.#video, peer, limit);
      peer.addEventListener('connectionstatechange', () => this.#watch(peer));
      this.#watch(peer);
    } catch (thrown) {
      this.close();
      throw thrown;
    }
  }

  async rttMs(): Promise<number | undefined> {
    const stats = (await this.#peer?.getStats()) as Map<string, Record<string, unknown>> | undefined;
    for (const row of stats?.values() ?? []) {
      const time = row['currentRoundTripTime'];
      if (row['type'] === 'candidate-pair' && row['nominated'] === true && typeof time === 'number')
        return Math.round(time * 1_000);
    }
    return undefined;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#peer?.close();
    this.#video.srcObject = null;
    // The box ends a view by itself when its peer is gone; telling it only frees it sooner.
    if (this.#session !== undefined) this.#api.end(this.#session).catch(() => undefined);
  }

  #show(event: RTCTrackEvent): void {
    const stream = event.streams[0] ?? new MediaStream([event.track]);
    if (this.#video.srcObject === stream) return;
    this.#video.srcObject = stream;
    this.#video.play().catch(() => undefined);
  }

  #watch(peer: RTCPeerConnection): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    const state = peer.connectionState;
    if (state === 'failed' || state === 'closed') this.#lost();
    else if (state === 'disconnected') this.#timer = setTimeout(() => this.#lost(), disconnectedMs);
  }
}

function gathered(peer: RTCPeerConnection): Promise<void> {
  return new Promise((resolve) => {
    if (peer.iceGatheringState === 'complete') {
      resolve();
      return;
    }
    const timer = setTimeout(resolve, gatherMs);
    peer.addEventListener('icegatheringstatechange', () => {
      if (peer.iceGatheringState !== 'complete') return;
      clearTimeout(timer);
      resolve();
    });
  });
}

function firstPicture(video: HTMLVideoElement, peer: RTCPeerConnection, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (): void => reject(new Error('No picture came by WebRTC'));
    if (signal.aborted) {
      fail();
      return;
    }
    signal.addEventListener('abort', fail, { once: true });
    peer.addEventListener('connectionstatechange', () => {
      if (peer.connectionState === 'failed') fail();
    });
    onPicture(video, () => resolve());
  });
}

/** Calls once when the next picture is drawn. */
export function onPicture(video: HTMLVideoElement, run: (now: number) => void): void {
  if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback((now) => run(now));
  else
    (video as HTMLVideoElement).addEventListener('timeupdate', () => run(performance.now()), { once: true });
}
