/**
 * What goes into a push, and what shows outside of it. Pure. What must stay true: whoever carries it (the push service, the
 * network) sees neither content nor, by its length, which kind it is; all that shows is how urgent it is and for how long it is kept.
 */
import { createHmac } from 'node:crypto';
import type { PushPayload } from '@siphera/contract';

export type PushKind = PushPayload['kind'];

/** Every payload is filled up to this. With the header and the tag of RFC 8188 it stays below the 4,096 bytes that services must take. */
export const payloadBytes = 2_048;
/** So that title and place fit in at four bytes a character, with what JSON adds. */
const titleCharsMax = 200;
const placeCharsMax = 160;

/** How long a push may wait for its phone, in milliseconds: it is also how long the box tries to hand it over. */
export const lifeMs: Readonly<Record<PushKind, number>> = {
  /** After an hour somebody else has it, or the e-mail was read; a phone that comes back later sees it in the app. */
  alarm: 3_600_000,
  cleared: 3_600_000,
  /** It only says that something is there, which stays true. */
  message: 24 * 3_600_000,
  /** Nobody lets it ring longer. */
  call: 30_000,
  /** Shown later it would tell nothing: after this the phone counts as unreachable. */
  test: 30_000,
};

/** So long a phone may report on a push. Later it tells nobody anything. */
export const receiptLifeMs = 7 * 24 * 3_600_000;

/** RFC 8030 §5.3. Phones that sleep are woken at once by `high` alone. */
export const urgencyOf: Readonly<Record<PushKind, 'normal' | 'high'>> = {
  alarm: 'high',
  cleared: 'normal',
  message: 'normal',
  call: 'high',
  test: 'high',
};

export const titleOf = ({ title, test }: { title: string; test: boolean }): string =>
  cut(test ? `Test: ${title}` : title, titleCharsMax);

/** Where it is, from the outside in: area, then device. Empty when the incident has neither. */
export function placeOf(incident: { area_name: string | null; device_name: string | null }): string {
  const parts = [incident.area_name, incident.device_name].filter((part) => part !== null && part !== '');
  return cut(parts.join(' · '), placeCharsMax);
}

/** JSON, filled up with blanks, which JSON ignores. @throws RangeError when it does not fit: the bounds above are wrong then. */
export function sealable(payload: PushPayload): Buffer {
  const json = Buffer.from(JSON.stringify(payload));
  if (json.length > payloadBytes) throw new RangeError(`A push of ${json.length} bytes does not fit`);
  return Buffer.concat([json, Buffer.alloc(payloadBytes - json.length, ' ')]);
}

/**
 * RFC 8030 §5.4: a later push with the same topic replaces one that still waits. It names the incident to nobody: without the
 * box's secret it is chance, and another one on each phone.
 * @returns 32 characters of base64url.
 */
export const topicOf = (secret: Buffer, subscriptionId: string, about: string): string =>
  createHmac('sha256', secret).update(`${subscriptionId}:${about}`).digest('base64url').slice(0, 32);

/** By code points, and without what JSON writes as six bytes: so the bounds above hold, and a title of any kind gets through. */
function cut(text: string, charsMax: number): string {
  const clean = text.toWellFormed().replaceAll(/\p{Cc}/gu, ' ');
  const chars = Array.from(clean);
  return chars.length <= charsMax ? clean : `${chars.slice(0, charsMax - 1).join('')}…`;
}
