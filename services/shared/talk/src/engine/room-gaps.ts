/**
 * Events of a room that were skipped: the queue of a device may lose some, and a server may leave some out. Each event has its place in the
 * room, so what is missing is known, and read from the room itself. What must stay true: a gap is asked for once, however the answer is.
 */
import { TalkRoomEvent } from '@siphera/contract';
import { z } from 'zod';
import type { ConversationId } from '../content.ts';
import { closeGap, emptySequence } from '../side/index.ts';
import { failureOf, wordsOf } from './failures.ts';
import type { Ground } from './ground.ts';
import { learnWriters } from './identity.ts';
import type { Momentary } from './inbox.ts';
import type { RoomRecord } from './records.ts';
import { askFor } from './retries.ts';
import { receiveRoomEvent } from './rooms.ts';
import type { Draft } from './store.ts';

/** Of one reading, and readings of one look; what is left is read at the next one. */
const pageEvents = 200;
const pagesMax = 10;
const EventsPage = z.object({ items: z.array(TalkRoomEvent).max(pageEvents), more: z.boolean() });

const top = (room: RoomRecord): number => Math.max(room.seen?.top ?? 0, room.checked ?? 0);
const hasGap = (room: RoomRecord): boolean =>
  room.seen !== undefined && (room.seen.missing.length > 0 || room.lastSeq > top(room));

/** For all rooms, once the queue was seen to its end: what is not here by then does not come by itself. */
export async function fillGaps(ground: Ground, momentary: Momentary): Promise<void> {
  for (const { id, room } of [...ground.conversations.values()]) {
    if (!room || !hasGap(room) || ground.closed) continue;
    try {
      await fill(ground, id, room, momentary);
    } catch (error) {
      if (failureOf(error) === 'later') throw error;
      // Not mine any more: nothing of it is to be had.
      ground.place.log('info', 'talk_gap_refused', { room: room.roomId, error: wordsOf(error) });
      await ground.write(async (draft) => {
        const record = await ground.conversation(draft, id);
        if (!record.room?.seen) return;
        record.room.seen = { ...record.room.seen, missing: [] };
        record.room.checked = record.room.lastSeq;
        ground.keep(draft, record);
      });
    }
  }
}

async function fill(
  ground: Ground,
  conv: ConversationId,
  room: RoomRecord,
  momentary: Momentary,
): Promise<void> {
  const { seen = emptySequence(), lastSeq, roomId } = room;
  const from = seen.missing[0]?.[0] ?? seen.top + 1;
  let before = lastSeq > top(room) ? undefined : (seen.missing.at(-1)?.[1] ?? seen.top) + 1;
  ground.place.log('info', 'talk_gap', { room: roomId, from });
  for (let page = 0; page < pagesMax; page += 1) {
    const query = { limit: String(pageEvents), ...(before !== undefined && { before: String(before) }) };
    const answer = EventsPage.parse(
      await ground.place.rest.call('listRoomEvents', { params: { id: roomId }, query }),
    );
    const events = answer.items.filter((event) => event.room_id === roomId).sort((a, b) => a.seq - b.seq);
    await learnWriters(ground, events).catch(() => undefined);
    const lowest = events[0]?.seq ?? from;
    const upto = before === undefined ? (events.at(-1)?.seq ?? seen.top) : before - 1;
    const ends = !answer.more || events.length === 0 || lowest <= from;
    await ground.write(async (draft) => {
      for (const event of events) if (event.seq >= from) await takeMissing(ground, draft, event, momentary);
      const record = await ground.conversation(draft, conv);
      if (!record.room?.seen) return;
      // What the room does not have there, nobody has: it was too old, and is no more.
      record.room.seen = closeGap(record.room.seen, ends ? from : lowest, upto);
      record.room.checked = Math.max(record.room.checked ?? 0, lastSeq);
      ground.keep(draft, record);
    });
    if (ends) return;
    before = lowest;
  }
}

async function takeMissing(
  ground: Ground,
  draft: Draft,
  event: TalkRoomEvent,
  momentary: Momentary,
): Promise<void> {
  const verdict = await receiveRoomEvent(ground, draft, event, false, momentary);
  if (verdict !== 'waits') return;
  const { event_id: id, sender, sender_device: device } = event;
  await askFor(ground, draft, { id, sender, device, at: Date.parse(event.at), show: false });
}
