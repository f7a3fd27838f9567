import { expect, it } from 'vitest';
import { BrokenWords } from './broken-words.ts';

it('takes many broken pictures in a short time for a broken stream, and a few for a bad network', () => {
  const words = new BrokenWords();
  for (let at = 0; at < 60_000; at += 1_000) words.line('[h264 @ 0x1] non-existing PPS 3 referenced', at);
  expect(words.look(60_000)).toBeUndefined();
  for (let at = 60_000; at < 62_000; at += 50) words.line('[h264 @ 0x1] slice type 13 too large at 5', at);
  expect([words.look(62_000), words.look(62_100)]).toEqual([true, undefined]);
  words.line('frame=  100 fps= 25', 80_000);
  expect(words.look(80_000)).toBe(false);
});
