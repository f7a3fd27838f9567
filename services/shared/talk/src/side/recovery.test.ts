import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TalkError } from '../api.ts';
import { makeSecret, openSecrets, readSecret, sealSecrets, showSecret } from './recovery.ts';

const user = '@018f0000-0000-7000-8000-000000000001:018f0000-0000-7000-8000-0000000000aa';
const other = '@018f0000-0000-7000-8000-000000000002:018f0000-0000-7000-8000-0000000000aa';
const secret = makeSecret((count) => randomBytes(count));
const bare = secret.replaceAll('-', '');
const chance = fc.uint8Array({ minLength: 46, maxLength: 46 });
const secretOf = (bytes: Uint8Array): string => {
  let first = true;
  return makeSecret((count) => {
    if (first) {
      first = false;
      return bytes;
    }
    return randomBytes(count);
  });
};
const bundle = { secrets: { cross_signing: { master_key: 'abc' } }, archive_key: 'a2V5' };

async function refusal(run: Promise<unknown>): Promise<string> {
  const error: unknown = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof TalkError)) throw new Error('was not refused by a TalkError');
  return error.code;
}

describe('recovery secret', () => {
  it('is shown as six groups of four and read back however it is typed', () => {
    expect(secret).toMatch(/^([2-9A-HJKMNP-Z]{4}-){5}[2-9A-HJKMNP-Z]{4}$/);
    for (const typed of [secret, bare, bare.toLowerCase(), ` ${secret.replaceAll('-', ' – ')}\n`])
      expect(readSecret(typed)).toEqual({ ok: true, secret: bare });
    expect(showSecret(bare)).toBe(secret);
  });

  it('tells each single wrong character', () => {
    fc.assert(
      fc.property(chance, fc.nat(23), fc.nat(29), (bytes, place, step) => {
        const right = secretOf(bytes).replaceAll('-', '');
        const alphabet = '23456789ABCDEFGHJKMNPQRSTUVWXYZ';
        const value = alphabet.indexOf(right[place]!);
        const typo = right.slice(0, place) + alphabet[(value + 1 + step) % 31]! + right.slice(place + 1);
        expect(readSecret(typo)).toMatchObject({ ok: false, why: 'typo' });
      }),
    );
  });

  it('tells two swapped neighbours', () => {
    fc.assert(
      fc.property(chance, fc.nat(22), (bytes, place) => {
        const chars = Array.from(secretOf(bytes).replaceAll('-', ''));
        fc.pre(chars[place] !== chars[place + 1]);
        [chars[place], chars[place + 1]] = [chars[place + 1]!, chars[place]!];
        expect(readSecret(chars.join(''))).toMatchObject({ ok: false, why: 'typo' });
      }),
    );
  });

  it('says what is wrong with what is no secret, and never throws', () => {
    expect(readSecret(bare.slice(1))).toMatchObject({ ok: false, why: 'length' });
    expect(readSecret(`${bare.slice(1)}0`)).toMatchObject({ ok: false, why: 'character' });
    fc.assert(
      fc.property(fc.string(), (typed) => {
        expect(readSecret(typed).ok).toBe(false);
      }),
    );
  });

  it('uses all characters alike', () => {
    const counts = new Map<string, number>();
    for (let round = 0; round < 500; round += 1)
      for (const char of makeSecret((count) => randomBytes(count)).replaceAll('-', ''))
        counts.set(char, (counts.get(char) ?? 0) + 1);
    expect(counts.size).toBe(31);
    // 12,000 characters: 387 of each, six standard deviations are 117.
    for (const count of counts.values()) expect(Math.abs(count - 387)).toBeLessThan(117);
  });

  it('does not make one when chance is broken', () => {
    expect(() => makeSecret((count) => new Uint8Array(count).fill(255))).toThrow(/chance/);
  });
});

describe('sealed secrets', () => {
  it('open with the secret, and differ each time they are sealed', async () => {
    const box = await sealSecrets(secret, user, bundle);
    expect(await openSecrets(bare.toLowerCase(), user, box)).toEqual(bundle);
    expect(await sealSecrets(secret, user, bundle)).not.toBe(box);
  });

  it('do not open with another secret, a typo, or for another person', async () => {
    const box = await sealSecrets(secret, user, bundle);
    const typo = (bare.startsWith('2') ? '3' : '2') + bare.slice(1);
    expect(
      await refusal(
        openSecrets(
          makeSecret((count) => randomBytes(count)),
          user,
          box,
        ),
      ),
    ).toBe('wrong_secret');
    expect(await refusal(openSecrets(typo, user, box))).toBe('wrong_secret');
    expect(await refusal(openSecrets(secret, other, box))).toBe('wrong_secret');
  });

  it('do not open when anything of the box was changed', async () => {
    const box = Buffer.from(await sealSecrets(secret, user, bundle), 'base64');
    await fc.assert(
      fc.asyncProperty(fc.nat(box.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const changed = Uint8Array.from(box);
        changed[at]! ^= flip;
        expect(await refusal(openSecrets(secret, user, Buffer.from(changed).toString('base64')))).toBe(
          'wrong_secret',
        );
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.string(), async (junk) => {
        expect(await refusal(openSecrets(secret, user, junk))).toBe('wrong_secret');
      }),
    );
  });
});
