import type { Message } from '@siphera/talk';
import { describe, expect, it } from 'vitest';
import { moveWindow, timelineRows } from './timeline-rows.ts';
import { aMessage } from './testing/builders.ts';

const noon = new Date(2026, 10, 22, 12).getTime();
const minute = 60_000;
const at = (id: string, ms: number, more: Partial<Message> = {}): Message =>
  aMessage({ id, at: ms, ...more });

describe('rows of a conversation', () => {
  it('begin each day with its name', () => {
    const rows = timelineRows([at('a', noon), at('b', noon + 24 * 60 * minute)]);
    expect(rows.map((row) => row.kind)).toEqual(['day', 'message', 'day', 'message']);
  });

  it('name the sender once for messages that follow each other', () => {
    const rows = timelineRows([
      at('a', noon),
      at('b', noon + minute),
      at('c', noon + 20 * minute),
      at('d', noon + 21 * minute, { senderId: 'other' }),
    ]);
    expect(rows.flatMap((row) => (row.kind === 'message' ? [row.first] : []))).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });

  it('name the sender again when one device of hers is not signed', () => {
    const rows = timelineRows([at('a', noon), at('b', noon + 1, { senderUnsigned: true })]);
    expect(rows.flatMap((row) => (row.kind === 'message' ? [row.first] : []))).toEqual([true, true]);
  });

  it('put the line above what is new', () => {
    const rows = timelineRows([at('a', noon), at('b', noon + 1)], 'b');
    expect(rows.map((row) => row.kind)).toEqual(['day', 'message', 'new', 'message']);
  });
});

describe('the window on a long conversation', () => {
  it('never holds more than its bound and never leaves the list', () => {
    expect(moveWindow({ from: 900, to: 1_000 }, -50, 1_000, 100)).toEqual({ from: 850, to: 950 });
    expect(moveWindow({ from: 10, to: 110 }, -50, 1_000, 100)).toEqual({ from: 0, to: 100 });
    expect(moveWindow({ from: 890, to: 990 }, 50, 1_000, 100)).toEqual({ from: 900, to: 1_000 });
    expect(moveWindow({ from: 0, to: 0 }, 0, 30, 100)).toEqual({ from: 0, to: 30 });
  });
});
