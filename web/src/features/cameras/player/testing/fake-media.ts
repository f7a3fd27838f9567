/** A MediaSource and a video without a decoder: what is appended lengthens `buffered` by what the fragments say. */
import { boxesIn } from '#features/cameras/player/mp4-boxes.ts';
import { fragmentTime, readStart, type StreamStart } from '#features/cameras/player/mp4-tracks.ts';

export class FakeSourceBuffer extends EventTarget {
  updating = false;
  mode = 'segments';
  timestampOffset = 0;
  readonly types: string[];
  readonly log: string[] = [];
  ranges: [number, number][] = [];
  /** The next append fails so, once. */
  failWith: Error | undefined;
  #start: StreamStart | undefined;

  constructor(type: string) {
    super();
    this.types = [type];
  }
  changeType(type: string): void {
    this.types.push(type);
  }
  appendBuffer(bytes: Uint8Array): void {
    if (this.updating) throw new Error('InvalidStateError');
    const { failWith } = this;
    this.failWith = undefined;
    if (failWith) throw failWith;
    if (boxesIn(bytes).some((one) => one.type === 'moov')) {
      this.#start = readStart(bytes);
      this.log.push('init');
    } else if (this.#start) {
      const time = fragmentTime(bytes, this.#start);
      if (time)
        this.#add(time.start + this.timestampOffset, time.start + time.duration + this.timestampOffset);
    }
    this.#finish();
  }
  remove(from: number, to: number): void {
    this.log.push(`remove ${String(from)}–${String(to)}`);
    this.ranges = this.ranges.flatMap(([a, b]) =>
      b <= to ? [] : [[Math.max(a, to), b] as [number, number]],
    );
    this.#finish();
  }
  #add(from: number, to: number): void {
    this.log.push(`${from.toFixed(2)}–${to.toFixed(2)}`);
    const last = this.ranges.at(-1);
    if (last && Math.abs(last[1] - from) < 0.05) last[1] = to;
    else this.ranges.push([from, to]);
  }
  #finish(): void {
    this.updating = true;
    queueMicrotask(() => {
      this.updating = false;
      this.dispatchEvent(new Event('updateend'));
    });
  }
}

export class FakeMediaSource extends EventTarget {
  static last: FakeMediaSource | undefined;
  static supported = (_type: string): boolean => true;
  static isTypeSupported(type: string): boolean {
    return FakeMediaSource.supported(type);
  }
  readyState = 'closed';
  buffer: FakeSourceBuffer | undefined;

  constructor() {
    super();
    FakeMediaSource.last = this;
    queueMicrotask(() => {
      this.readyState = 'open';
      this.dispatchEvent(new Event('sourceopen'));
    });
  }
  addSourceBuffer(type: string): FakeSourceBuffer {
    this.buffer = new FakeSourceBuffer(type);
    return this.buffer;
  }
}

/** A video that plays what the last fake source has buffered. */
export function fakeVideo(): HTMLVideoElement & { draw: () => void } {
  const video = document.createElement('video');
  const callbacks: ((now: number) => void)[] = [];
  let paused = true;
  Object.defineProperties(video, {
    buffered: {
      get: () => {
        const ranges = FakeMediaSource.last?.buffer?.ranges ?? [];
        return {
          length: ranges.length,
          start: (i: number) => ranges[i]![0],
          end: (i: number) => ranges[i]![1],
        };
      },
    },
    currentTime: { value: 0, writable: true },
    playbackRate: { value: 1, writable: true },
    readyState: { value: 0, writable: true },
    videoWidth: { value: 640, writable: true },
    paused: { get: () => paused },
  });
  return Object.assign(video, {
    play: () => {
      paused = false;
      return Promise.resolve();
    },
    pause: () => {
      paused = true;
    },
    load: () => undefined,
    requestVideoFrameCallback: (run: (now: number) => void) => callbacks.push(run),
    draw: () => {
      for (const run of callbacks.splice(0)) run(0);
    },
  });
}

export function installFakeMedia(): void {
  Object.assign(globalThis, { MediaSource: FakeMediaSource });
  Object.assign(URL, { createObjectURL: () => 'blob:fake', revokeObjectURL: () => undefined });
  FakeMediaSource.supported = () => true;
}
