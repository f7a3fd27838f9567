/** What the parts of talk stand on. What must stay true: nothing in here, in the store or in the log is plaintext of anybody. */
import type {
  AccessClaims,
  FeedEntry,
  InternalHeartbeat,
  InternalPerson,
  QueueItem,
  TalkRoom,
  TalkRoomEvent,
  talkRoutes,
} from '@siphera/contract';
import type {
  Caller,
  Clock,
  Handlers,
  InternalClient,
  Logger,
  Metrics,
  Random,
  Sqlite,
} from '@siphera/runtime';
import type { Config } from './config.ts';
import type { ConsoleSocket } from './adapters/socket-server.ts';
import type { DeviceKey } from './domain/device.ts';

/** People of the box, as core knows them; kept fresh by the feed. */
export type PeopleDirectory = {
  get(userId: string): InternalPerson | undefined;
  all(orgId: string): InternalPerson[];
};

/** Incidents as far as talk needs them, from the feed: which places they are in, and how they are named. */
export type IncidentDirectory = {
  /** Undefined: not known (yet). Asked of core when needed. */
  get(incidentId: string): { id: string; orgId: string; scopes: readonly string[] } | undefined;
};

export type { DeviceKey };

/** What the devices part gives the others. Called inside a transaction of the caller, delivered after its commit. */
export type Queues = {
  /** @returns false, having written nothing, when the queue or the sender's share of it is full. */
  enqueue(to: DeviceKey, item: NewQueueItem): boolean;
  /** The item of a room event is kept once, in the rooms part: only its name lies in the queue. */
  enqueueRoomEvent(to: DeviceKey, event: { roomId: string; seq: number; senderId: string }): boolean;
  /** How such an event is read again when its turn comes; undefined: it is kept no more, and nobody is told of it. */
  readRoomEventsBy(read: (event: { roomId: string; seq: number }) => TalkRoomEvent | undefined): void;
  /** The room as it is after so many statements; it too is kept once, for its chain grows with each change. */
  enqueueRoom(to: DeviceKey, room: QueuedRoom): boolean;
  readRoomsBy(read: (room: { roomId: string; statements: number }) => TalkRoom | undefined): void;
  /** Sends what was enqueued to whoever is there: to be called after the commit. */
  flush(to: readonly DeviceKey[]): void;
  devicesOf(userId: string): DeviceKey[];
  /** Position of the last change to the devices or the identity of one of them; 0 for none. */
  devicesChangedAt(userIds: readonly string[]): number;
  /** Whether the device's queue is open on a socket now. */
  isOpen(device: DeviceKey): boolean;
  /** The device that this session has proved to be. @throws AppError `forbidden` with a hint. */
  attached(caller: Caller): DeviceKey;
  /**
   * The same, for what changes something of the person or speaks in his name: once he has an identity, the device has to be
   * signed by it, for a stolen token can make and attach a device of its own. @throws AppError `forbidden` with a hint.
   */
  confirmed(caller: Caller): DeviceKey;
  /** Ed25519 key (unpadded base64) of a device that has keys. */
  deviceKey(device: DeviceKey): string | undefined;
};
/** `bytes`: about how large it is on the wire; `senderId`: whose doing it is that it is told of; null: nobody's. */
export type QueuedRoom = { roomId: string; statements: number; bytes: number; senderId: string | null };
export type NewQueueItem = QueueItem extends infer I
  ? I extends { pos: number; at: string }
    ? Omit<I, 'pos' | 'at'>
    : never
  : never;

/** What happens in one part and matters in another. */
export type TalkSignal =
  /** Push to devices of a person that have no open queue. */
  | { kind: 'wake'; userId: string; what: 'message' | 'call' }
  | { kind: 'device_removed'; device: DeviceKey }
  /** The first socket of a person came, or the last went. */
  | { kind: 'online'; userId: string; orgId: string; online: boolean }
  /** A socket with an open queue: presence and reads go there. */
  | { kind: 'queue_opened'; device: DeviceKey; socket: ConsoleSocket }
  | { kind: 'people'; userIds: readonly string[] };
export type TalkSignals = {
  on(hear: (signal: TalkSignal) => void): () => void;
  emit(signal: TalkSignal): void;
};

/** Sockets by person, for parts that tell people something now. */
export type Sockets = {
  /** With an open queue. */
  open(orgId: string): ConsoleSocket[];
  ofUser(userId: string): ConsoleSocket[];
  ofSession(sid: string): ConsoleSocket[];
  online(userId: string): boolean;
};

/** Calls of core that must not be lost: kept until core has answered. */
export type CoreOutbox = { post(path: string, body: unknown): void };

export type Ground = {
  config: Config;
  log: Logger;
  clock: Clock;
  random: Random;
  metrics: Metrics;
  client: InternalClient;
  db: Sqlite;
  outbox: CoreOutbox;
  people: PeopleDirectory;
  incidents: IncidentDirectory;
  signals: TalkSignals;
  sockets: Sockets;
  /** Ends a session here at once, before core's own word comes back: its token opens nothing, its sockets are cut. */
  endSession(sid: string): void;
};

export type TalkHandlers = Handlers<typeof talkRoutes>;
export type HealthCheck = InternalHeartbeat['checks'][number];

/** A part of talk: brings handlers, hears core's feed, says how it is, and stops. */
export type Part = {
  name: string;
  handlers: Partial<TalkHandlers>;
  onEntries?(entries: readonly FeedEntry[]): void;
  /** A socket came in; claims are in `socket.data`. */
  onSocket?(socket: ConsoleSocket): void;
  /** Sessions or users that were ended: what goes on for them ends now. */
  onRevoked?(hits: (claims: Pick<AccessClaims, 'sid' | 'sub' | 'iat'>) => boolean): void;
  checks?(): HealthCheck[];
  start?(): void;
  stop(): void | Promise<void>;
};
