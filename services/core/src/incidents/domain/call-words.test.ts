import { expect, it } from 'vitest';
import { callWords } from './call-words.ts';

it('says a call with its people, its length and how it ended', () => {
  const call = { media: 'voice', outcome: 'answered', duration_ms: 61_400, names: ['Gus', 'Ada'] } as const;
  expect(callWords(call)).toBe('Call with Gus, Ada: 1 min 1 s');
  expect(callWords({ ...call, duration_ms: 59_000 })).toBe('Call with Gus, Ada: 59 s');
  expect(callWords({ ...call, media: 'video', outcome: 'missed' })).toBe(
    'Video call with Gus, Ada: not answered',
  );
});
