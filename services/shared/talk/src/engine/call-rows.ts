/**
 * Lines of calls. What must stay true: who calls chooses the id of the call, so it names no row but that of a call; and all devices of a person
 * write the same line, so the one that knows more of it stands.
 */
import type { CallRecord } from '../api.ts';
import { sha256Hex } from '../side/index.ts';
import type { StoredMessage } from './records.ts';

const prefix = 'call:';
/** Never the id of a message, which is a UUID. */
export const callRowId = (callId: string): string => `${prefix}${callId}`;
export const isCallRow = (id: string): boolean => id.startsWith(prefix);

/** Who took or declined it knows that; who was away or only rang says "missed". */
const ranks: Record<CallRecord['outcome'], number> = { missed: 0, failed: 1, declined: 2, answered: 3 };

const callOf = ({ content }: StoredMessage): CallRecord | undefined =>
  content.t === 'event' ? content.call : undefined;

/** Whether a line of a call may be written where that one is, or nothing. */
export function isBetterCall(next: StoredMessage, here: StoredMessage | undefined): boolean {
  const after = callOf(next);
  if (!after || !isCallRow(next.id)) return false;
  if (!here) return true;
  const before = callOf(here);
  const same = before?.callId === after.callId && here.conversation === next.conversation;
  return same && ranks[after.outcome] > ranks[before.outcome];
}

/** The archive names its rows by UUIDs: that of a call is made of its name, so that it is no message's. */
export async function archiveNameOf(id: string): Promise<string> {
  if (!isCallRow(id)) return id;
  const hex = await sha256Hex(id);
  // Version 8, of one's own making (RFC 9562 §5.8).
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
