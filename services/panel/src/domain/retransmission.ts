/**
 * When is a message one that we already have? A panel sends again until it hears our ACK, with the same sequence and
 * the same content, but some renew the timestamp and the pad. A sequence number comes back: after 9999 in good panels,
 * after a restart in others, at once in those that always send the same one.
 * So for each (account, receiver, line, sequence) the last content is kept. Other content under the same number ends
 * the match, and a match ends some time after the commit: then it is a new message, with a new event id.
 */
import { createHash } from 'node:crypto';
import type { Message } from './judge.ts';

/** A panel that did not hear our ACK tries again within minutes, its other path first. */
export const sameMessageMs = 15 * 60_000;
/** Where the sequence says nothing (0000) or the time was renewed, a second pressing of the same button is the greater worry. */
export const doubtfulMs = 2 * 60_000;

export type Earlier = {
  contentHash: Buffer;
  stamp: string | null;
  eventId: string;
  /** Null while core has not committed it. */
  committedMs: number | null;
};

/** True when `message` is the one `earlier` stands for. One that core does not have yet is matched for as long as it waits. */
export function isRetransmission(message: Message, earlier: Earlier | undefined, nowMs: number): boolean {
  if (!earlier || !earlier.contentHash.equals(message.contentHash)) return false;
  if (earlier.committedMs === null) return true;
  const renewed = message.stamp !== undefined && earlier.stamp !== null && message.stamp !== earlier.stamp;
  const windowMs = renewed || message.sequence === '0000' ? doubtfulMs : sameMessageMs;
  return nowMs - earlier.committedMs <= windowMs;
}

/**
 * The id of a message's event: fixed when the message is first stored, and kept with it, so that every retry bears it,
 * also after a restart. The frame's place in our file keeps two messages of one millisecond apart.
 */
export function eventIdOf(message: Message, firstSeenMs: number, frameId: number): string {
  return createHash('sha256')
    .update(`${message.account}|${message.path}|${message.sequence}|${firstSeenMs}|${frameId}|`)
    .update(message.contentHash)
    .digest('hex')
    .slice(0, 32);
}
