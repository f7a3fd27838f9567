import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeRecords, encodeRecord, holeRecord, lastSequence, type QueueRecord } from './record.ts';

const payloads = fc.array(fc.uint8Array({ maxLength: 60 }), { minLength: 1, maxLength: 12 });
const records = (list: readonly Uint8Array[]): QueueRecord[] =>
  list.map((bytes, index) => ({ sequence: index + 1, flags: 0, payload: Buffer.from(bytes) }));
const file = (list: readonly QueueRecord[]): Buffer => Buffer.concat(list.map(encodeRecord));

describe('records', () => {
  test('come back as they were written', () => {
    fc.assert(
      fc.property(payloads, (list) => {
        const written = records(list);
        expect(decodeRecords(file(written))).toEqual({
          records: written,
          goodBytes: file(written).length,
          verdict: 'clean',
        });
      }),
    );
  });

  test('a file cut anywhere gives the whole records before the cut, never a changed one', () => {
    fc.assert(
      fc.property(payloads, fc.nat(), (list, at) => {
        const written = records(list);
        const bytes = file(written);
        const cut = at % bytes.length;
        const decoded = decodeRecords(bytes.subarray(0, cut));
        expect(decoded.records).toEqual(written.slice(0, decoded.records.length));
        expect(decoded.goodBytes).toBeLessThanOrEqual(cut);
        expect(file(decoded.records).length).toBe(decoded.goodBytes);
        expect(decoded.verdict).toBe(decoded.goodBytes === cut ? 'clean' : 'torn');
      }),
    );
  });

  test('one changed byte costs one record at most', () => {
    fc.assert(
      fc.property(payloads, fc.nat(), fc.integer({ min: 1, max: 255 }), (list, at, flip) => {
        const written = records(list);
        const bytes = file(written);
        const index = at % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ flip;
        const decoded = decodeRecords(bytes);
        const read = new Set(decoded.records.map((record) => record.sequence));
        expect(written.filter((record) => !read.has(record.sequence))).toHaveLength(1);
        expect(
          decoded.records.every((record) =>
            record.payload.equals(written[record.sequence - 1]?.payload ?? Buffer.alloc(0)),
          ),
        ).toBe(true);
      }),
    );
  });

  test('a hole stands for a run of sequences', () => {
    const [hole] = decodeRecords(encodeRecord(holeRecord(7, 900))).records;
    expect(hole && [hole.sequence, lastSequence(hole)]).toEqual([7, 900]);
  });

  test('rubbish is never a record', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(decodeRecords(Buffer.from(bytes)).records).toEqual([]);
      }),
    );
  });
});
