/**
 * The recovery secret and what it opens. A secret is 24 characters in groups of four: 23 by chance (113 bits) and one
 * that checks them, so that a typo is told before anything is tried. The server keeps the box and cannot guess the secret.
 */
import { z } from 'zod';
import { TalkError } from '../api.ts';
import { deriveKey, openBox, sealBox } from './box.ts';
import { fromBase64, fromText, toBase64, toText } from './bytes.ts';

/** 31 characters: no I, L, O, 0, 1. A prime, so that the check finds each changed character and each swap of two. */
const alphabet = '23456789ABCDEFGHJKMNPQRSTUVWXYZ';
const chanceChars = 23;
const secretChars = chanceChars + 1;
const groupChars = 4;
/** Larger bytes would make some characters likelier than others. */
const fairBelow = 256 - (256 % alphabet.length);
/** A good source of chance is done after one or two; one that gives only large bytes is broken. */
const drawsMax = 20;

export type SecretReading =
  { ok: true; secret: string } | { ok: false; why: 'character' | 'length' | 'typo'; message: string };

/** A new secret as it is shown. @throws Error when the source of chance is broken */
export function makeSecret(randomBytes: (count: number) => Uint8Array): string {
  const drawn: number[] = [];
  for (let draw = 0; draw < drawsMax && drawn.length < chanceChars; draw += 1) {
    for (const byte of randomBytes(2 * chanceChars)) if (byte < fairBelow) drawn.push(byte % alphabet.length);
  }
  if (drawn.length < chanceChars) throw new Error('The source of chance is broken');
  const values = drawn.slice(0, chanceChars);
  return showSecret([...values, checkOf(values)].map((value) => alphabet[value]).join(''));
}

/** In groups of four, as it is shown and printed. */
export const showSecret = (secret: string): string =>
  (secret.match(new RegExp(`.{1,${groupChars}}`, 'g')) ?? []).join('-');

/** What somebody typed: case, blanks and dashes do not count; says what is wrong with it. */
export function readSecret(typed: string): SecretReading {
  const bare = typed.replace(/[\s\p{Pd}]+/gu, '').toUpperCase();
  const values: number[] = [];
  for (const char of bare) {
    const value = alphabet.indexOf(char);
    if (value < 0) return wrong('character', `“${char}” is in no recovery secret`);
    values.push(value);
  }
  if (values.length !== secretChars)
    return wrong('length', `A recovery secret has ${secretChars} characters, this one ${values.length}`);
  if (checkOf(values.slice(0, chanceChars)) !== values[chanceChars])
    return wrong('typo', 'A character is wrong, or two are swapped');
  return { ok: true, secret: bare };
}

const wrong = (why: 'character' | 'length' | 'typo', message: string): SecretReading => ({
  ok: false,
  why,
  message,
});

/** Weighted as in an ISBN: every place has a weight of its own. */
const checkOf = (values: readonly number[]): number =>
  values.reduce((sum, value, place) => sum + value * (place + 2), 0) % alphabet.length;

/** What a new device needs: the library's secrets bundle (`exportSecretsBundle`, as JSON) and the key of the archive. */
export const SecretsBundle = z.object({ secrets: z.unknown(), archive_key: z.string().max(100) });
export type SecretsBundle = z.infer<typeof SecretsBundle>;

/** The box for `putSecrets`, base64. @throws TalkError `wrong_secret` for what is no secret */
export async function sealSecrets(secret: string, userId: string, bundle: SecretsBundle): Promise<string> {
  const box = await sealBox(await keyOf(secret, userId), fromText(JSON.stringify(bundle)), purposeOf(userId));
  return toBase64(box);
}

/** @throws TalkError `wrong_secret`: a typo, another secret, or a box of somebody else */
export async function openSecrets(secret: string, userId: string, box: string): Promise<SecretsBundle> {
  const key = await keyOf(secret, userId);
  const bytes = fromBase64(box);
  const opened = bytes && (await openBox(key, bytes, purposeOf(userId)));
  if (!opened) throw new TalkError('wrong_secret', 'The recovery secret does not open this account');
  return SecretsBundle.parse(JSON.parse(toText(opened)));
}

const purposeOf = (userId: string): string => `siphera-secrets:1:${userId}`;

async function keyOf(typed: string, userId: string): Promise<CryptoKey> {
  const reading = readSecret(typed);
  if (!reading.ok) throw new TalkError('wrong_secret', reading.message);
  // Slow hashing would add nothing: the secret has 113 bits of chance, nobody chose it.
  return deriveKey(fromText(reading.secret), 'siphera-recovery:1', userId);
}
