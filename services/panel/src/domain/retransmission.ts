/**
 * When is a message one that we already have? A panel sends again until it hears our ACK, with the same sequence and
 * the same content, but some renew the timestamp and the pad. A sequence number comes back: after 9999 in good panels,
 * after a restart in others, at once in those that always send the same one.
 * So for each (account, receiver, line, sequence) the last content is kept. Other content under the same number ends
 * the match, and a match ends some time after the commit: then it is a new message, with a new event id.
 */
import { createHash } from 'node:crypto';
import type { Message } from './judge.ts';

/** A message committed while its panel was not listening is expected again within this time. */
export const sameMessageMs = 15 * 60_000;
/**
 * Once we have answered, the panel calls again only if our ACK was lost, and then soon: DC-09 §5.6.2 has it wait 5 to
 * 60 s. Later it is a new report, of a panel that was restarted or that always sends one number.
 */
export const ackLostMs = 2 * 60_000;

export type Earlier = {
  contentHash: Buffer;
  eventId: string;
  /** Null while core has not committed it. */
  committedMs: number | null;
  /** When the panel was last answered; null when it has not been. */
  ackedMs: number | null;
};

/** True when `message` is the one `earlier` stands for. One that core does not have yet is matched for as long as it waits. */
export function isRetransmission(message: Message, earlier: Earlier | undefined, nowMs: number): boolean {
  if (!earlier || !earlier.contentHash.equals(message.contentHash)) return false;
  if (earlier.committedMs === null) return true;
  if (nowMs - earlier.committedMs > sameMessageMs) return false;
  return earlier.ackedMs === null || nowMs - earlier.ackedMs <= ackLostMs;
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
