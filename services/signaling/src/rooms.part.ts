/** Rooms of talk as a part of the service: who is in them, what is sent to them, how long it is kept. */
import { DiskSpace } from './adapters/keep/disk-space.ts';
import { Sweeper, type SweptPart } from './adapters/keep/sweeper.ts';
import { IncidentRooms } from './adapters/rooms/incident-rooms.ts';
import { RoomEvents } from './adapters/rooms/room-events.ts';
import { roomToWire, type RoomGround } from './adapters/rooms/room-ground.ts';
import { RoomStatements } from './adapters/rooms/room-statements.ts';
import { sweepRooms } from './adapters/rooms/room-sweep.ts';
import { EvenClock } from './domain/even-clock.ts';
import type { Ground, Queues } from './ground.ts';
import { roomHandlers } from './http/rooms.routes.ts';
import { BackupStore } from './store/backup.store.ts';
import { RoomEventStore, roomEventToWire } from './store/room-event.store.ts';
import { RoomStore } from './store/room.store.ts';
import { SignerStore } from './store/signer.store.ts';
import { StatementStore } from './store/statement.store.ts';

export function createRoomsPart(ground: Ground, queues: Queues): SweptPart {
  const { clock, config, db, log, signals } = ground;
  const kept = new RoomEventStore(db);
  const shared: RoomGround = {
    ...ground,
    queues,
    rooms: new RoomStore(db),
    statements: new StatementStore(db),
    signers: new SignerStore(db),
    events: kept,
    space: new DiskSpace({
      directory: config.DATA_DIR,
      reserveBytes: config.TALK_DISK_RESERVE_BYTES,
      clock,
    }),
  };
  const incidents = new IncidentRooms(shared);
  const backups = new BackupStore(db);
  const even = new EvenClock(clock);
  const sweeper = new Sweeper({
    name: 'rooms',
    log,
    slice: () => even.isEven() && sweepRooms(shared, backups),
  });
  queues.readRoomEventsBy(({ roomId, seq }) => {
    const event = kept.get(roomId, seq);
    return event && roomEventToWire(event);
  });
  queues.readRoomsBy(({ roomId, statements }) => {
    const room = shared.rooms.get(roomId);
    return room && roomToWire(shared, room, statements);
  });
  const deafen = signals.on((signal) => {
    if (signal.kind === 'people') incidents.hearPeople(signal.userIds);
  });
  return {
    name: 'rooms',
    handlers: roomHandlers({
      ground: shared,
      statements: new RoomStatements(shared),
      events: new RoomEvents(shared),
      incidents,
    }),
    onEntries: (entries) => incidents.hear(entries),
    start: () => sweeper.start(),
    sweep: () => sweeper.sweep(),
    stop: async () => {
      deafen();
      await sweeper.stop();
    },
  };
}
