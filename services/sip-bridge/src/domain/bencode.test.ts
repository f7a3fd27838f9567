import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bdecode, bencode, type Bencoded } from './bencode.ts';

const { value } = fc.letrec<{ value: Bencoded }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'grapheme', maxLength: 20 }),
    fc.integer(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.string({ minLength: 1, maxLength: 8 }).filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
}));

it('reads what it writes', () => {
  fc.assert(
    fc.property(value, (one) => {
      expect(bdecode(Buffer.from(bencode(one)))).toEqual(one);
    }),
  );
});

it('reads an answer of a relay, and refuses what is none', () => {
  expect(bdecode(Buffer.from('d5:callsl3:a@b1:ce6:result2:oke'))).toEqual({
    calls: ['a@b', 'c'],
    result: 'ok',
  });
  for (const text of [
    '',
    'd',
    'l',
    'i',
    'i1',
    'ie',
    '5:abc',
    'd1:ae',
    'di1ei2ee',
    'x',
    'i1ei2e',
    `${'l'.repeat(40)}${'e'.repeat(40)}`,
  ])
    expect(() => bdecode(Buffer.from(text)), text).toThrow();
});
