import { expect, it } from 'vitest';
import { PushReach } from './push-reach.ts';

const lost = { kind: 'later', why: '', network: true, afterMs: undefined } as const;

it('is closed when three tries in a row found nobody, and open again when one is answered', () => {
  const reach = new PushReach();
  for (const ms of [0, 1]) reach.note(lost, ms);
  expect(reach.isOpen(2)).toBe(true);
  reach.note(lost, 2);
  expect(reach.isOpen(3)).toBe(false);
  reach.note({ ...lost, network: false }, 4);
  expect(reach.isOpen(5)).toBe(true);
});

it('says nothing by what was seen long ago', () => {
  const reach = new PushReach();
  for (const ms of [0, 1, 2]) reach.note(lost, ms);
  expect(reach.isOpen(600_003)).toBe(true);
});
