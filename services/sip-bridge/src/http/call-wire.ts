/** Calls as the contract shows them, and places in their list. */
import { Uuid, type PhoneCall } from '@siphera/contract';
import { AppError, toRfc3339 } from '@siphera/runtime';
import { z } from 'zod';
import type { OpeningRow } from '../store/call-opening.store.ts';
import type { CallParty, CallRow } from '../store/call.store.ts';

/** Shown of a call; the page of a call that opened the door all day stays readable. */
const openingsShownMax = 10;

export function toWire(row: CallRow, openings: readonly OpeningRow[]): z.input<typeof PhoneCall> {
  return {
    id: row.id,
    call_id: row.callId,
    direction: row.direction,
    from: partyToWire(row.from),
    to: partyToWire(row.to),
    dialled: row.dialled,
    answered_by: row.answeredBy,
    trunk_id: row.trunkId,
    trunk_name: row.trunkName,
    state: row.state,
    outcome: row.outcome,
    reason: row.reason,
    started_at: toRfc3339(row.startedMs),
    answered_at: row.answeredMs === null ? null : toRfc3339(row.answeredMs),
    ended_at: row.endedMs === null ? null : toRfc3339(row.endedMs),
    relayed: row.relayed,
    door_id: row.doorId,
    camera_id: row.cameraId,
    incident_id: row.incidentId,
    openings: openings
      .filter(({ call }) => call === row.id)
      .slice(-openingsShownMax)
      .map(({ atMs, by, how, ok, detail }) => ({ at: toRfc3339(atMs), by, how, ok, detail })),
  };
}

const partyToWire = ({ number, name, userId }: CallParty): PhoneCall['from'] => ({
  number,
  name,
  user_id: userId,
});

type Place = { startedMs: number; id: string };
const Cursor = z.tuple([z.int(), Uuid]);

export const cursorOf = ({ startedMs, id }: Place): string =>
  Buffer.from(JSON.stringify([startedMs, id])).toString('base64url');

/** @throws AppError `validation_failed` for one that we did not make. */
export function readCursor(cursor: string): Place {
  try {
    const [startedMs, id] = Cursor.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    return { startedMs, id };
  } catch (cause) {
    throw new AppError('validation_failed', 'That cursor is not one of this list.', { cause });
  }
}
