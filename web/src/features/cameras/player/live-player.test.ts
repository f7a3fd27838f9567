import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LivePlayer, type LiveState } from '#features/cameras/player/live-player.ts';
import { fakeVideo, installFakeMedia } from '#features/cameras/player/testing/fake-media.ts';
import { bytesOf, fragment, initSegment, notice } from '#features/cameras/player/testing/mp4.ts';

type Feed = { send: (...parts: Uint8Array[]) => void; end: () => void };
let feeds: Feed[];
let states: LiveState[];
let player: LivePlayer;
let fmp4: ReturnType<typeof fakeVideo>;
let refuse: { problem: { status: number } } | undefined;

function open(): Promise<Response> {
  if (refuse) return Promise.reject(Object.assign(new Error('refused'), refuse));
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      feeds.push({
        send: (...parts) => controller.enqueue(bytesOf(...parts)),
        end: () => controller.close(),
      });
    },
  });
  return Promise.resolve(new Response(body, { headers: { 'x-siphera-transcoded': '1' } }));
}

beforeEach(() => {
  vi.useFakeTimers();
  installFakeMedia();
  feeds = [];
  states = [];
  refuse = undefined;
  fmp4 = fakeVideo();
  const still = document.createElement('canvas');
  still.getContext = () => null;
  player = new LivePlayer({
    fmp4,
    webrtc: fakeVideo(),
    still,
    api: { open: () => open(), webrtc: undefined },
    now: () => Date.now(),
    wall: () => Date.now(),
    changed: (state) => states.push(state),
  });
});
afterEach(() => {
  player.stop();
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

it('plays when a picture is drawn, and says when it was made anew', async () => {
  player.start('main');
  await pass(10);
  expect(player.state.phase).toBe('connecting');
  feeds[0]!.send(initSegment(), fragment({ decodeTime: 0 }));
  await pass(10);
  fmp4.draw();
  expect(player.state).toMatchObject({ phase: 'playing', transport: 'fmp4', transcoded: true });
});

it('opens the stream again by itself when it ends, and goes on in the same picture', async () => {
  player.start('main');
  await pass(10);
  feeds[0]!.send(initSegment(), fragment({ decodeTime: 0 }));
  await pass(10);
  fmp4.draw();
  feeds[0]!.end();
  await pass(500);
  expect(feeds).toHaveLength(2);
  feeds[1]!.send(initSegment(), fragment({ decodeTime: 99_000 }));
  await pass(10);
  expect(fmp4.buffered.length).toBe(1);
  expect(fmp4.buffered.end(0)).toBeCloseTo(1);
});

it('tells that the picture is lost with the words of the box, and recovers', async () => {
  player.start('main');
  await pass(10);
  feeds[0]!.send(initSegment(), fragment({ decodeTime: 0 }));
  await pass(10);
  fmp4.draw();
  feeds[0]!.send(notice({ kind: 'lost', reason: 'The camera does not answer.' }));
  await pass(2_000);
  expect(player.state).toMatchObject({ phase: 'lost', reason: 'The camera does not answer.' });
  feeds[0]!.send(initSegment(), fragment({ decodeTime: 0 }));
  await pass(10);
  fmp4.draw();
  expect(player.state).toMatchObject({ phase: 'playing', reason: '' });
});

it('gives up where the answer will not change', async () => {
  refuse = { problem: { status: 403 } };
  player.start('main');
  await pass(30_000);
  expect(player.state.phase).toBe('refused');
});

it('tries on, at a bounded pace, while the box is away', async () => {
  refuse = { problem: { status: 503 } };
  player.start('main');
  await pass(20_000);
  expect(player.state.phase).toBe('connecting');
  refuse = undefined;
  await pass(9_000);
  expect(feeds).toHaveLength(1);
});
