/**
 * A server of talk in memory, with the meaning of the routes and none of their checks of form: for tests of the engine, and hostile
 * when a test makes it so. Batches, acknowledgements and refusals are as `services/signaling` has them.
 */
import {
  applyStatement,
  emptyChain,
  statementText,
  type DeviceKeys,
  type MembershipStatement,
  type QueueItem,
  type TalkRoom,
  type TalkRoomEvent,
} from '@siphera/contract';
import { sha256Hex } from '../side/index.ts';

export type Json = Record<string, unknown>;
export class Refused extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number) {
    super(code);
    this.code = code;
    this.status = status;
  }
}

type KeySet = Record<string, Json>;
export type ServerDevice = {
  id: string;
  userId: string;
  name: string;
  kind: 'personal' | 'shared';
  share: string;
  challenge: string;
  keys: Json | undefined;
  oneTime: KeySet;
  /** Names of one-time keys that were given out. */
  claimed: Set<string>;
  fallback: KeySet;
  queue: QueueItem[];
  /** Position of the device lists that was acknowledged. */
  listsSeen: number;
  socket: OpenSocket | undefined;
};
export type OpenSocket = {
  batch: (batch: unknown) => void;
  gone: (reason: string) => void;
  waits: number | undefined;
};
export type Caller = { userId: string; sid: string; device: string | undefined };
type Person = { master?: Json; selfSigning?: Json; userSigning?: Json; changedAt: number };
export type ServerRoom = TalkRoom & { events: TalkRoomEvent[] };

const batchMax = 100;

/** What a hostile server changes on its way; the honest one changes nothing. */
type Tamper = {
  queryKeys?: (answer: Json, caller: Caller) => Json;
  /** Is this device kept from this caller? */
  hides?: (device: ServerDevice, caller: Caller) => boolean;
  room?: (room: TalkRoom) => TalkRoom;
  deliver?: (item: QueueItem, to: ServerDevice) => QueueItem[];
  events?: (events: TalkRoomEvent[]) => TalkRoomEvent[];
};

export class MemoryServer {
  readonly orgId = '0190aaaa-0000-7000-8000-000000000000';
  readonly devices = new Map<string, ServerDevice>();
  readonly people = new Map<string, Person>();
  readonly rooms = new Map<string, ServerRoom>();
  readonly files = new Map<string, Uint8Array>();
  readonly secrets = new Map<string, { box: string; version: number }>();
  readonly backups = new Map<string, { version: string; body: Json; rooms: Record<string, Json> }>();
  readonly archives = new Map<string, Map<string, { seq: number; box: string }>>();
  readonly done = new Map<string, unknown>();
  tamper: Tamper = {};
  /** Keys of a backup in one answer. */
  backupPageMax = 1_000;
  now: () => number = () => Math.floor(Date.parse('2026-11-28T12:00:00Z') + performance.now());
  #pos = 0;
  #lists = 0;
  #names = 0;
  #versions = 0;

  mx(userId: string): string {
    return `@${userId}:${this.orgId}`;
  }

  at(): string {
    return new Date(this.now()).toISOString();
  }

  nextName(): string {
    this.#names += 1;
    const letters = String(this.#names)
      .padStart(9, '0')
      .replace(/\d/g, (digit) => 'ABCDEFGHIJ'.charAt(Number(digit)));
    return `D${letters}`;
  }

  nextVersion(): string {
    this.#versions += 1;
    return String(this.#versions);
  }

  get lists(): number {
    return this.#lists;
  }

  person(userId: string): Person {
    const person = this.people.get(userId) ?? { changedAt: 0 };
    this.people.set(userId, person);
    return person;
  }

  devicesOf(userId: string): ServerDevice[] {
    return [...this.devices.values()].filter(
      (device) => device.userId === userId && device.keys !== undefined,
    );
  }

  device(userId: string, deviceId: string): ServerDevice {
    const device = this.devices.get(deviceId);
    if (device?.userId !== userId) throw new Refused('gone', 410);
    return device;
  }

  changed(userId: string): void {
    this.#lists += 1;
    this.person(userId).changedAt = this.#lists;
    for (const device of this.devices.values()) this.push(device);
  }

  enqueue(
    device: ServerDevice,
    item: Omit<Extract<QueueItem, { kind: 'to_device' }>, 'pos' | 'at'> | Json,
  ): void {
    this.#pos += 1;
    const whole = { ...item, pos: this.#pos, at: this.at() } as QueueItem;
    const items = this.tamper.deliver?.(whole, device) ?? [whole];
    device.queue.push(...items);
    queueMicrotask(() => this.push(device));
  }

  /** Sends the next batch, when the one before was acknowledged and there is something to say. */
  push(device: ServerDevice, first = false): void {
    const { socket } = device;
    if (!socket || socket.waits !== undefined) return;
    const changed = [...this.people]
      .filter(([, person]) => person.changedAt > device.listsSeen)
      .map(([userId]) => this.mx(userId));
    if (!first && device.queue.length === 0 && changed.length === 0) return;
    const items = device.queue.slice(0, batchMax);
    const upto = items.at(-1)?.pos ?? 0;
    socket.waits = upto;
    socket.batch(
      structuredClone({
        items,
        upto,
        end: device.queue.length <= batchMax,
        device_lists: { changed, upto: this.#lists },
        one_time_key_counts: { signed_curve25519: Object.keys(device.oneTime).length },
        unused_fallback_key_types: Object.keys(device.fallback).length > 0 ? ['signed_curve25519'] : [],
      }),
    );
  }

  acknowledge(device: ServerDevice, upto: number, lists: number): void {
    if (device.socket?.waits !== upto) return;
    device.socket.waits = undefined;
    device.listsSeen = Math.max(device.listsSeen, lists);
    device.queue = device.queue.filter((item) => item.pos > upto);
    this.push(device);
  }

  removeDevice(deviceId: string): void {
    const device = this.devices.get(deviceId);
    if (!device) return;
    this.devices.delete(deviceId);
    device.socket?.gone('removed');
    this.changed(device.userId);
  }

  view(room: ServerRoom): TalkRoom {
    const { events: _events, ...rest } = room;
    const plain = structuredClone(rest);
    return this.tamper.room?.(plain) ?? plain;
  }

  /** To everybody who is in it, or was until now. */
  announce(room: ServerRoom, also: readonly string[] = []): void {
    for (const userId of new Set([...room.member_ids, ...also]))
      for (const device of this.devicesOf(userId))
        this.enqueue(device, { kind: 'room', room: this.view(room) });
  }

  incidentRoom(incidentId: string): ServerRoom {
    const found = [...this.rooms.values()].find((room) => room.incident_id === incidentId);
    return found ?? this.addRoom(incidentId.replace(/^.{8}/, 'eeeeeeee'), 'incident', incidentId);
  }

  addRoom(id: string, kind: TalkRoom['kind'], incidentId: string | null): ServerRoom {
    const room: ServerRoom = {
      id,
      org_id: this.orgId,
      kind,
      incident_id: incidentId,
      created_at: this.at(),
      last_seq: 0,
      member_ids: [],
      statements: [],
      reads: [],
      events: [],
    };
    this.rooms.set(id, room);
    return room;
  }

  async state(room: ServerRoom, statement: MembershipStatement): Promise<void> {
    let chain = emptyChain(room.id, room.kind);
    for (const one of [...room.statements, statement]) {
      const applied = applyStatement(chain, one, await sha256Hex(statementText(one)));
      if (!applied.ok)
        throw new Refused(applied.reason === 'out_of_order' ? 'conflict' : 'unprocessable', 409);
      chain = applied.chain;
    }
    const before = room.member_ids;
    room.statements.push(statement);
    const signer = this.devices.get(statement.by_device)?.keys;
    // With what its owner had signed of it then.
    if (signer) room.signers = [...(room.signers ?? []), structuredClone(signer) as DeviceKeys];
    room.member_ids = [...chain.members];
    this.announce(room, before);
  }
}
