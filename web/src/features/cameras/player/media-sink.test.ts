import { beforeEach, expect, it } from 'vitest';
import { MediaSink } from '#features/cameras/player/media-sink.ts';
import { FakeMediaSource, fakeVideo, installFakeMedia } from '#features/cameras/player/testing/fake-media.ts';
import { fragment, initSegment } from '#features/cameras/player/testing/mp4.ts';

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));
const init = (level?: number) => ({
  kind: 'init' as const,
  bytes: initSegment(level === undefined ? {} : { level }),
});
const media = (decodeTime: number) => ({ kind: 'media' as const, bytes: fragment({ decodeTime }) });
let failures: string[];
const sinkOn = (video = fakeVideo()) =>
  new MediaSink(video, { failed: (error) => failures.push(error.message) });

beforeEach(() => {
  installFakeMedia();
  failures = [];
});

it('appends one after another and begins at 0, wherever the clock of the camera stands', async () => {
  const sink = sinkOn();
  for (const piece of [init(), media(900_000), media(900_500)]) sink.push(piece);
  await settled();
  expect(FakeMediaSource.last?.buffer?.log).toEqual(['init', '0.00–0.50', '0.50–1.00']);
  expect(sink.end).toBeCloseTo(1);
});

it('goes on where it was when the camera comes back with another codec and another clock', async () => {
  const sink = sinkOn();
  for (const piece of [init(), media(0), init(0x28), media(77_000), media(77_500)]) sink.push(piece);
  await settled();
  expect(FakeMediaSource.last?.buffer?.log).toEqual(['init', '0.00–0.50', 'init', '0.50–1.00', '1.00–1.50']);
  expect(FakeMediaSource.last?.buffer?.types.at(-1)).toContain('avc1.640028');
  expect(failures).toEqual([]);
});

it('puts a fragment where it is told', async () => {
  const sink = sinkOn();
  sink.push(init());
  sink.push(media(4_000), 3_600);
  await settled();
  expect(FakeMediaSource.last?.buffer?.log.at(-1)).toBe('3600.00–3600.50');
});

it('makes room when the memory of the browser is full, and loses nothing', async () => {
  const video = fakeVideo();
  const sink = sinkOn(video);
  for (const piece of [init(), ...Array.from({ length: 20 }, (_, index) => media(index * 500))])
    sink.push(piece);
  await settled();
  video.currentTime = 9;
  FakeMediaSource.last!.buffer!.failWith = new DOMException('full', 'QuotaExceededError');
  sink.push(media(10_000));
  await settled();
  expect(FakeMediaSource.last?.buffer?.log.slice(-2)).toEqual(['remove 0–7', '10.00–10.50']);
  expect(failures).toEqual([]);
});

it('says once that it failed, and takes nothing more', async () => {
  const sink = sinkOn();
  FakeMediaSource.supported = () => false;
  sink.push(init());
  sink.push(media(0));
  await settled();
  expect(failures).toEqual(['This browser cannot play video/mp4; codecs="avc1.64001f"']);
});
