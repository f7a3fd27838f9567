import { describe, expect, it } from 'vitest';
import { cutBatch, queueLimits } from './queue.ts';

const rows = (count: number, bytes: number) => Array.from({ length: count }, () => ({ bytes }));

describe('a batch', () => {
  it('ends the queue when all fits', () => {
    expect(cutBatch([])).toEqual({ batch: [], end: true });
    expect(cutBatch(rows(100, 10))).toEqual({ batch: rows(100, 10), end: true });
  });

  it('is a hundred at most', () => {
    expect(cutBatch(rows(101, 10))).toEqual({ batch: rows(100, 10), end: false });
  });

  it('is bounded in bytes, and never empty for one that is larger', () => {
    const half = queueLimits.batchBytesMax / 2;
    expect(cutBatch(rows(5, half))).toEqual({ batch: rows(2, half), end: false });
    const huge = queueLimits.batchBytesMax * 3;
    expect(cutBatch(rows(2, huge))).toEqual({ batch: rows(1, huge), end: false });
  });
});
