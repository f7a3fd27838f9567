import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { joinAt, LiveTimeline } from './live-timeline.ts';
import type { Fragment, InitSegment } from './media.ts';
import { boxesIn, makeBox } from './mp4-box.ts';
import { readFragment } from './mp4-fragment.ts';
import { tracksOf } from './mp4-init.ts';

/** A second of picture and sound, as ffmpeg writes it. */
const mp4 = execFileSync('ffmpeg', [
  ...['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', 'testsrc=size=64x64:rate=25', '-f', 'lavfi'],
  ...[
    '-i',
    'sine=sample_rate=8000',
    '-t',
    '2',
    '-c:v',
    'libx264',
    '-pix_fmt',
    'yuv420p',
    '-bf',
    '0',
    '-g',
    '25',
  ],
  ...['-c:a', 'aac', '-movflags', 'empty_moov+default_base_moof+frag_keyframe', '-f', 'mp4', 'pipe:1'],
]);
const boxes = boxesIn(mp4);
const bytesOf = (type: string): Buffer[] =>
  boxes.filter((box) => box.type === type).map(({ bytes }) => bytes);
const init: InitSegment = {
  bytes: Buffer.concat([...bytesOf('ftyp'), ...bytesOf('moov')]),
  mime: '',
  video: 'h264',
  width: 64,
  height: 64,
  timescale: 12_800,
};
const fragments: Fragment[] = bytesOf('moof').map((moof, index) => ({
  bytes: Buffer.concat([moof, bytesOf('mdat')[index]!]),
  key: true,
  startMs: 1_700_000_000_500 + index * 1_000,
  durationMs: 1_000,
  decodeTime: index * 12_800,
}));
const timesOf = (parts: Buffer[]): number[] =>
  readFragment(parts[1]!, tracksOf(init.bytes))!.runs.map(({ decodeTime }) => decodeTime);

describe('the time line of a viewer', () => {
  it('begins at 0 wherever he joins, and goes on over a new start and over what was left out', () => {
    const timeline = new LiveTimeline();
    timeline.begin(init);
    expect(timesOf(timeline.place(fragments[1]!))[0]).toBe(0);
    timeline.begin(init);
    const again = timesOf(timeline.place(fragments[0]!))[0]!;
    // Where the sound of the first one ended, which is a little behind the picture.
    expect(again).toBeGreaterThanOrEqual(12_800);
    expect(again).toBeLessThan(12_800 * 1.2);
    timeline.skip();
    expect(timesOf(timeline.place(fragments[0]!))[0]).toBeGreaterThan(again + 12_000);
  });

  it('says the wall time of each fragment, and leaves the bytes of the relay alone', () => {
    const timeline = new LiveTimeline();
    timeline.begin(init);
    const before = Buffer.from(fragments[0]!.bytes);
    const [prft, , data] = timeline.place(fragments[0]!);
    const { content } = boxesIn(prft!)[0]!;
    expect(content.readUInt8(0)).toBe(1);
    expect(content.readUInt32BE(8)).toBe(1_700_000_000 + 2_208_988_800);
    expect(content.readUInt32BE(12)).toBe(2 ** 31);
    expect(fragments[0]!.bytes.equals(before)).toBe(true);
    expect(data!.buffer).toBe(fragments[0]!.bytes.buffer);
  });

  it('never moves a track back', () => {
    const ends = new Map([['video', 10] as const, ['audio', 10.1] as const]);
    const shift = joinAt(ends, [
      { kind: 'video', start: 100 },
      { kind: 'audio', start: 99.9 },
    ]);
    expect(100 + shift).toBeGreaterThanOrEqual(10);
    expect(99.9 + shift).toBeCloseTo(10.1);
    expect(joinAt(new Map(), [{ kind: 'video', start: 42 }])).toBe(-42);
  });

  it('sends nothing of bytes that are no fragment', () => {
    const timeline = new LiveTimeline();
    timeline.begin(init);
    expect(timeline.place({ ...fragments[0]!, bytes: makeBox('free', Buffer.alloc(8)) })).toEqual([]);
  });
});
