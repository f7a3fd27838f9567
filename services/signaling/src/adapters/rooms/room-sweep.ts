/**
 * What of rooms is kept no longer. Events of groups go by their age. What was said in the room of an incident stays whole for as long after
 * the last of it, or of the incident; then the room goes too, with the backups of its keys, which open nothing any more.
 */
import { talkRoomId } from '@siphera/contract';
import type { BackupStore } from '../../store/backup.store.ts';
import type { RoomGround } from './room-ground.ts';

const dayMs = 86_400_000;
/** Rows of events in one transaction: some 30 ms of it. */
const eventsMax = 300;
const roomsMax = 20;

/** One slice. @returns whether there is more. */
export function sweepRooms(ground: RoomGround, backups: BackupStore): boolean {
  const { clock, config, db, events, rooms } = ground;
  const beforeMs = clock.now() - config.TALK_KEEP_DAYS * dayMs;
  if (events.prune(beforeMs, eventsMax) === eventsMax) return true;
  const outlived = rooms.outlived(beforeMs, roomsMax);
  if (outlived.length === 0) return false;
  db.transaction(() => {
    for (const { id, orgId } of outlived) {
      rooms.remove(id);
      backups.forgetRoom(talkRoomId(id, orgId));
    }
  }).immediate();
  return outlived.length === roomsMax;
}
