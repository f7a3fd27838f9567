/** The MP4 parser against bytes that a camera had a hand in: torn, lying, hostile. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFragment } from './mp4-fragment.ts';
import { readInit } from './mp4-init.ts';
import { boxBytesMax, Mp4Splitter, type Piece } from './mp4-splitter.ts';

const u32 = (...numbers: number[]): Buffer => {
  const buffer = Buffer.alloc(numbers.length * 4);
  numbers.forEach((number, index) => buffer.writeUInt32BE(number >>> 0, index * 4));
  return buffer;
};
const box = (type: string, ...content: Buffer[]): Buffer => {
  const body = Buffer.concat(content);
  return Buffer.concat([u32(body.length + 8), Buffer.from(type, 'latin1'), body]);
};

const avcC = box('avcC', Buffer.from('0164001fffe1', 'hex'));
const avc1 = box('avc1', Buffer.alloc(24), Buffer.from([5, 0, 2, 208]), Buffer.alloc(50), avcC);
const trak = (id: number, handler: string, entry: Buffer, timescale: number): Buffer =>
  box(
    'trak',
    box('tkhd', u32(0, 0, 0, id), Buffer.alloc(68)),
    box(
      'mdia',
      box('mdhd', u32(0, 0, 0, timescale, 0, 0)),
      box('hdlr', u32(0, 0), Buffer.from(handler, 'latin1'), Buffer.alloc(13)),
      box('minf', box('stbl', box('stsd', u32(0, 1), entry))),
    ),
  );
const init = Buffer.concat([
  box('ftyp', Buffer.from('iso5')),
  box('moov', trak(1, 'vide', avc1, 90_000), box('mvex', box('trex', u32(0, 1, 1, 0, 0, 0x1010000)))),
]);

type Sample = { duration: number; size: number };
function fragment(decodeTime: number, key: boolean, samples: readonly Sample[]): Buffer {
  const trun = box(
    'trun',
    u32(0x305, samples.length, 0, key ? 0x2000000 : 0x1010000),
    ...samples.map(({ duration, size }) => u32(duration, size)),
  );
  const traf = box('traf', box('tfhd', u32(0x20000, 1)), box('tfdt', u32(0x1000000, 0, decodeTime)), trun);
  const total = samples.reduce((sum, sample) => sum + sample.size, 0);
  return Buffer.concat([box('moof', box('mfhd', u32(0, 1)), traf), box('mdat', Buffer.alloc(total, 1))]);
}

const file = Buffer.concat([
  init,
  fragment(0, true, [
    { duration: 3_000, size: 40 },
    { duration: 3_000, size: 9 },
  ]),
  fragment(6_000, false, [{ duration: 3_000, size: 7 }]),
]);

const pushAll = (chunks: readonly Buffer[]): Piece[] => {
  const splitter = new Mp4Splitter();
  return chunks.flatMap((chunk) => splitter.push(chunk));
};

describe('the splitter', () => {
  it('finds the same pieces however the bytes arrive', () => {
    const whole = pushAll([file]);
    expect(whole.map((piece) => piece.kind)).toEqual(['init', 'fragment', 'fragment']);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: file.length }), { maxLength: 40 }), (cuts) => {
        const points = [0, ...cuts.toSorted((a, b) => a - b), file.length];
        const chunks = points.slice(1).map((to, index) => file.subarray(points[index], to));
        expect(pushAll(chunks)).toEqual(whole);
      }),
    );
  });

  it('ends a stream whose box is above the limit before it holds it', () => {
    const splitter = new Mp4Splitter();
    splitter.push(init);
    const head = Buffer.concat([u32(boxBytesMax['mdat']! + 1), Buffer.from('mdat')]);
    expect(() => splitter.push(head)).toThrow(/above the limit/);
  });

  it('ends a stream of sizes that are no sizes', () => {
    for (const size of [0, 1, 7])
      expect(() => new Mp4Splitter().push(Buffer.concat([u32(size), Buffer.from('mdat')]))).toThrow(
        /no fragmented/,
      );
  });

  it('holds no more than one box and a chunk of whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 30 }), (chunks) => {
        const splitter = new Mp4Splitter();
        let given = 0;
        try {
          for (const chunk of chunks) {
            given += chunk.length;
            splitter.push(Buffer.from(chunk));
          }
        } catch (error) {
          // What is no MP4 ends the connection; only our own words may come out.
          expect((error as Error).message).toMatch(/no fragmented MP4|above the limit/);
        }
        expect(splitter.heldBytes).toBeLessThanOrEqual(given);
      }),
    );
  });
});

describe('the readers', () => {
  it('read codec, size, timescale, key flag and times', () => {
    const read = readInit(init)!;
    expect(read.segment).toMatchObject({
      mime: 'video/mp4; codecs="avc1.64001f"',
      video: 'h264',
      width: 1_280,
      height: 720,
      timescale: 90_000,
    });
    const [, first, second] = pushAll([file]);
    const at = (piece: Piece | undefined) =>
      piece?.kind === 'fragment' ? readFragment(piece.bytes, read.tracks)?.video : undefined;
    expect(at(first)).toMatchObject({ decodeTime: 0, duration: 6_000 });
    expect(at(first)?.samples).toMatchObject([
      { key: true, start: 0, end: 40, decodeTime: 0, duration: 3_000, offset: 0 },
      { key: false, start: 40, end: 49, decodeTime: 3_000, duration: 3_000, offset: 0 },
    ]);
    expect(at(second)).toMatchObject({ decodeTime: 6_000, duration: 3_000, samples: [{ key: false }] });
  });

  it('survive any flipped, cut or invented bytes', () => {
    const read = readInit(init)!;
    const moof = fragment(0, true, [{ duration: 3_000, size: 40 }]);
    const change = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), fc.nat(), (changes, cut) => {
        for (const source of [init, moof]) {
          const bytes = Buffer.from(source);
          for (const [at, value] of changes) bytes[at % bytes.length] = value;
          const cutBytes = bytes.subarray(0, cut % (bytes.length + 1));
          readInit(cutBytes);
          const found = readFragment(cutBytes, read.tracks);
          if (found?.video) expect(Number.isSafeInteger(found.video.decodeTime)).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('do not count the samples that a lying run promises', () => {
    const lie = box(
      'moof',
      box('traf', box('tfhd', u32(0, 1)), box('tfdt', u32(0, 0)), box('trun', u32(0, 0xffff_ffff))),
    );
    expect(readFragment(lie, readInit(init)!.tracks)).toBeUndefined();
  });
});
