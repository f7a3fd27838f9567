/** Puts events into the outbox. Call inside the transaction of what they tell of. */
import type { IncomingEvent } from '@siphera/contract';
import type { Random } from '@siphera/runtime';
import type { MessageStore } from '../store/message.store.ts';
import type { QueuedRow } from './core-pump.ts';

export function enqueueEvents(
  messages: MessageStore,
  row: { eventId: string; frameId?: number; account: string; path?: string; sequence?: string },
  list: IncomingEvent[],
  nowMs: number,
): QueuedRow {
  const stored = messages.enqueue(
    {
      event_id: row.eventId,
      frame_id: row.frameId ?? null,
      account: row.account,
      path: row.path ?? '',
      sequence: row.sequence ?? '',
      events: JSON.stringify(list),
    },
    nowMs,
  );
  return { ...stored, list };
}

/** A new trace (W3C Trace Context §3.2): one id from the panel's message to the guard's screen. */
export function makeTraceparent(random: Random): string {
  const hex = random.bytes(24).toString('hex');
  return `00-${hex.slice(0, 32)}-${hex.slice(32)}-01`;
}
