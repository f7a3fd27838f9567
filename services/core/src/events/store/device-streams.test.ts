import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openMemory } from '../../testing/memory-box.ts';
import { DeviceStreams } from './device-streams.ts';

describe('how far a queue is durable', () => {
  it('moves over what is all here', () => {
    const streams = new DeviceStreams(openMemory().db);
    expect([1, 2, 3].map((sequence) => streams.advance('d', 's', sequence, 1))).toEqual([1, 2, 3]);
  });

  it('stops at a gap until the missing ones came again', () => {
    const streams = new DeviceStreams(openMemory().db);
    expect([1, 2, 5, 6, 3, 4, 5, 6].map((sequence) => streams.advance('d', 's', sequence, 1))).toEqual([
      1, 2, 2, 2, 3, 4, 5, 6,
    ]);
  });

  it('does not wait for what the agent no longer holds', () => {
    const streams = new DeviceStreams(openMemory().db);
    expect(streams.advance('d', 's', 41, 41)).toBe(41);
  });

  it('keeps streams and devices apart', () => {
    const streams = new DeviceStreams(openMemory().db);
    streams.advance('d', 's', 1, 1);
    expect(streams.advance('d', 'other', 2, 1)).toBe(0);
    expect(streams.advance('e', 's', 2, 1)).toBe(0);
  });

  it('knows after a restart what it had saved', async () => {
    const { db, writer } = openMemory();
    const before = new DeviceStreams(db);
    before.advance('d', 's', 1, 1);
    before.advance('d', 's', 2, 1);
    await writer.submit((tx) => before.save(tx));
    expect(new DeviceStreams(db).advance('d', 's', 3, 1)).toBe(3);
  });

  it('never says more than is contiguous, whatever the order, and all of it in the end', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 60 }), (order) => {
        const streams = new DeviceStreams(openMemory().db);
        const seen = new Set<number>();
        for (const sequence of order) {
          seen.add(sequence);
          const committed = streams.advance('d', 's', sequence, 1);
          for (let one = 1; one <= committed; one++) expect(seen.has(one)).toBe(true);
        }
        for (let again = 1; again <= 12; again++) streams.advance('d', 's', again, 1);
        expect(streams.advance('d', 's', 13, 1)).toBe(13);
      }),
      { numRuns: 60 },
    );
  });
});
