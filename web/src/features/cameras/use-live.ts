/** A live player bound to a tile: begins when the tile is seen, rests when nobody looks, picks its stream by size. */
import { onBeforeUnmount, onMounted, ref, shallowRef, watch, type Ref } from 'vue';
import { api, apiStream } from '#api/client.ts';
import { boxTime, monotonic } from '#app/clock.ts';
import type { Camera } from '#features/cameras/camera-types.ts';
import {
  LivePlayer,
  type LiveApi,
  type LiveState,
  type StreamName,
} from '#features/cameras/player/live-player.ts';
import { canPlay } from '#features/cameras/player/media-sink.ts';

export type Quality = 'auto' | StreamName;
/** A tab that was left for this long gives its streams back. */
const hiddenRestMs = 15_000;
/** A sub-stream may be stretched this much before the main one is worth its bytes. */
const stretchMax = 1.4;

/** What this browser plays, as the service asks for it. */
const playableVideo = (): string =>
  ['video/mp4; codecs="hvc1.1.6.L120.B0"', 'video/mp4; codecs="hev1.1.6.L120.B0"'].some(canPlay)
    ? 'h264,h265'
    : 'h264';

function liveApi(id: string): LiveApi {
  const params = { id };
  const canWebRtc = 'RTCPeerConnection' in globalThis;
  return {
    open: (stream, signal) =>
      apiStream('watchLive', { params, query: { stream, video: playableVideo() }, signal }),
    webrtc: canWebRtc
      ? (stream) => ({
          offer: (signal) => api('offerWebRtc', { params, body: { stream }, signal }),
          answer: (session, sdp) => api('answerWebRtc', { params: { id: session }, body: { sdp } }),
          end: (session) => api('endWebRtc', { params: { id: session } }),
        })
      : undefined,
  };
}

export function pickStream(
  streams: readonly { role: string; width: number | null }[],
  quality: Quality,
  widthPx: number,
): StreamName {
  const sub = streams.find((stream) => stream.role === 'sub');
  if (!sub || quality === 'main') return 'main';
  if (quality === 'sub') return 'sub';
  return sub.width === null || widthPx <= sub.width * stretchMax ? 'sub' : 'main';
}

export function useLive(options: {
  root: Readonly<Ref<HTMLElement | null>>;
  fmp4: Readonly<Ref<HTMLVideoElement | null>>;
  webrtc: Readonly<Ref<HTMLVideoElement | null>>;
  still: Readonly<Ref<HTMLCanvasElement | null>>;
  camera: () => Camera;
  quality: () => Quality;
}) {
  const state = shallowRef<LiveState>({
    phase: 'connecting',
    transport: 'none',
    transcoded: false,
    trouble: undefined,
    reason: '',
  });
  const stream = ref<StreamName>('main');
  let player: LivePlayer | undefined;
  let visible = false;
  let running = false;
  let rest: ReturnType<typeof setTimeout> | undefined;

  function pick(): void {
    const width = (options.root.value?.clientWidth ?? 0) * devicePixelRatio;
    stream.value = pickStream(options.camera().streams, options.quality(), width);
    if (running) player?.use(stream.value);
  }
  function update(): void {
    const wanted = visible && !document.hidden && options.camera().enabled;
    if (wanted) {
      clearTimeout(rest);
      rest = undefined;
      if (running) return;
      running = true;
      pick();
      player?.start(stream.value);
    } else if (running) {
      rest ??= setTimeout(() => halt(), visible ? hiddenRestMs : 500);
    }
  }
  function halt(): void {
    clearTimeout(rest);
    rest = undefined;
    running = false;
    player?.stop();
  }

  const seen = new IntersectionObserver((entries) => {
    visible = entries.at(-1)?.isIntersecting ?? false;
    update();
  });
  const sized = new ResizeObserver(() => pick());
  onMounted(() => {
    const [root, fmp4, webrtc, still] = [options.root, options.fmp4, options.webrtc, options.still].map(
      (one) => one.value,
    );
    if (!root || !fmp4 || !webrtc || !still) return;
    player = new LivePlayer({
      fmp4: fmp4 as HTMLVideoElement,
      webrtc: webrtc as HTMLVideoElement,
      still: still as HTMLCanvasElement,
      api: liveApi(options.camera().id),
      now: monotonic,
      wall: boxTime,
      changed: (next) => {
        state.value = next;
      },
    });
    seen.observe(root);
    sized.observe(root);
    document.addEventListener('visibilitychange', update);
  });
  onBeforeUnmount(() => {
    seen.disconnect();
    sized.disconnect();
    document.removeEventListener('visibilitychange', update);
    halt();
  });
  watch(options.quality, pick);
  // A camera that came back is asked at once instead of at the end of the pause.
  watch(
    () => options.camera().state.connection,
    (next) => {
      if (next !== 'online' || state.value.phase === 'playing') return;
      halt();
      update();
    },
  );
  watch(() => options.camera().enabled, update);

  return { state, stream, debug: () => player?.debug() };
}
