/**
 * Queues of devices and the sockets they are open on. What must stay true: rows leave in the order in which they were
 * committed, none is deleted before its device has said that it has it, one socket at a time has a queue, and only a session
 * that has proved to be the device gets anything of it.
 */
import {
  readTalkUserId,
  talkLimits,
  talkUserId,
  TalkDone,
  TalkOpen,
  type QueueBatch,
  type QueueItem,
  type TalkGone,
  type TalkRoom,
  type TalkRoomEvent,
} from '@siphera/contract';
import { AppError, toRfc3339, type Caller } from '@siphera/runtime';
import type { z } from 'zod';
import { Allowance } from '../../domain/allowance.ts';
import { mayTalk, type DeviceKey } from '../../domain/device.ts';
import { cutBatch } from '../../domain/queue.ts';
import type { NewQueueItem, QueuedRoom, Queues } from '../../ground.ts';
import type { NewQueueRow, QueueRow } from '../../store/queue.store.ts';
import type { ConsoleSocket } from '../socket-server.ts';
import { isConfirmed, type DeviceGround } from './device-ground.ts';

type Batch = z.infer<typeof QueueBatch>;
type GoneReason = z.infer<typeof TalkGone>['reason'];
type OpenQueue = {
  device: DeviceKey;
  orgId: string;
  socket: ConsoleSocket;
  /** Sent and not acknowledged yet. */
  sent: { upto: number; listsUpto: number } | undefined;
  /** Something about its keys is new, or it was opened just now: it is sent a batch although nothing waits. */
  isNews: boolean;
};
type RoomReader = (room: { roomId: string; statements: number }) => TalkRoom | undefined;
type RoomEventReader = (event: { roomId: string; seq: number }) => TalkRoomEvent | undefined;

/** Changes of device lists that come within this are told together: five hundred phones that are set up at once are not told of each. */
const listsMs = 100;
/** Of a session. Each opening sends a batch anew; a client on a bad network comes back every few seconds. */
const openingLimits = { burst: 60, perMinute: 60 };
/** A name of a room event in a queue: its text lies in the rooms. */
const roomEventBytes = 100;

export class QueueHub implements Queues {
  readonly #ground: DeviceGround;
  readonly #open = new Map<string, OpenQueue>();
  readonly #changedOrgs = new Set<string>();
  #listsTimer: NodeJS.Timeout | undefined;
  #readRoomEvent: RoomEventReader = () => undefined;
  #readRoom: RoomReader = () => undefined;
  readonly #openings: Allowance;

  constructor(ground: DeviceGround) {
    this.#ground = ground;
    this.#openings = new Allowance(openingLimits, ground.clock);
  }

  enqueue(to: DeviceKey, item: NewQueueItem): boolean {
    const body = JSON.stringify(item);
    const senderId = item.kind === 'to_device' ? readTalkUserId(item.event.sender).userId : null;
    return this.#add(to, { body, roomId: null, roomSeq: null, bytes: Buffer.byteLength(body), senderId });
  }

  enqueueRoomEvent(to: DeviceKey, event: { roomId: string; seq: number; senderId: string }): boolean {
    const { roomId, seq, senderId } = event;
    return this.#add(to, { body: null, roomId, roomSeq: seq, bytes: roomEventBytes, senderId });
  }

  readRoomEventsBy(read: RoomEventReader): void {
    this.#readRoomEvent = read;
  }

  /** A room is told from its events by a seq below zero: the number of its statements. */
  enqueueRoom(to: DeviceKey, { roomId, statements, bytes, senderId }: QueuedRoom): boolean {
    return this.#add(to, { body: null, roomId, roomSeq: -statements, bytes, senderId });
  }

  readRoomsBy(read: RoomReader): void {
    this.#readRoom = read;
  }

  flush(to: readonly DeviceKey[]): void {
    for (const { deviceId } of to) {
      const open = this.#open.get(deviceId);
      if (open) this.#pump(open);
    }
  }

  devicesOf(userId: string): DeviceKey[] {
    return this.#ground.devices.keyedOf(userId);
  }

  devicesChangedAt(userIds: readonly string[]): number {
    return this.#ground.lists.changedAt(userIds);
  }

  isOpen({ deviceId }: DeviceKey): boolean {
    return this.#open.has(deviceId);
  }

  openDevices(): DeviceKey[] {
    return [...this.#open.values()].map(({ device }) => device);
  }

  attached({ claims }: Pick<Caller, 'claims'>): DeviceKey {
    const device = this.#attachedTo(claims);
    if (!device)
      throw new AppError('forbidden', 'This session has not proved to be a device.', {
        hint: 'Open the device and attach it first.',
        extra: { reason: 'not_attached' },
      });
    return device;
  }

  confirmed(caller: Pick<Caller, 'claims'>): DeviceKey {
    const device = this.attached(caller);
    if (!isConfirmed(this.#ground, device))
      throw new AppError('forbidden', 'This device is not confirmed by its owner.', {
        hint: 'Confirm it with the recovery secret or another device first.',
        extra: { reason: 'not_verified' },
      });
    return device;
  }

  deviceKey(device: DeviceKey): string | undefined {
    return this.#ground.devices.ed25519Of(device);
  }

  /** Number of one-time keys or the fallback key of a device changed: it is told. */
  keysChanged(deviceId: string): void {
    const open = this.#open.get(deviceId);
    if (!open) return;
    open.isNews = true;
    this.#pump(open);
  }

  /** Devices or identities in an organisation changed: whoever is there is told soon. To be called after the commit. */
  listsChanged(orgId: string): void {
    this.#changedOrgs.add(orgId);
    this.#listsTimer ??= setTimeout(() => {
      this.#listsTimer = undefined;
      const open = [...this.#open.values()].filter((one) => this.#changedOrgs.has(one.orgId));
      this.#changedOrgs.clear();
      for (const one of open) this.#pump(one);
    }, listsMs);
  }

  /** Ends what is open of a device and says why. */
  close(deviceId: string, reason: GoneReason): void {
    const open = this.#open.get(deviceId);
    if (!open) return;
    this.#leave(open.socket);
    open.socket.emit('talkGone', { reason });
  }

  /** Closes what is open of a device when its session is the device no more. */
  checkOpen(deviceId: string): void {
    const open = this.#open.get(deviceId);
    if (open) this.#mayGoOn(open);
  }

  /** Whatever it sends is checked: a socket of a console is not trusted. */
  welcome(socket: ConsoleSocket): void {
    socket.on('talkOpen', (open: unknown, done: unknown) => {
      const answer = typeof done === 'function' ? (done as (result: unknown) => void) : () => undefined;
      this.#guarded(socket, () => this.#openOn(socket, open, answer));
    });
    socket.on('talkDone', (upto: unknown) => this.#guarded(socket, () => this.#done(socket, upto)));
    socket.once('disconnect', () => this.#leave(socket));
  }

  stop(): void {
    clearTimeout(this.#listsTimer);
    this.#open.clear();
  }

  #add(to: DeviceKey, row: NewQueueRow): boolean {
    const { queue, clock, log } = this.#ground;
    const isAdded = queue.add(to.deviceId, row, clock.now());
    if (!isAdded) log.debug('queue_full', { device: to.deviceId, user: to.userId });
    return isAdded;
  }

  #attachedTo(claims: Caller['claims']): DeviceKey | undefined {
    const device = this.#ground.devices.attachedTo(claims.sid);
    return device?.userId === claims.sub && claims.kind === 'user' ? device : undefined;
  }

  #openOn(socket: ConsoleSocket, input: unknown, answer: (result: unknown) => void): void {
    const deviceId = TalkOpen.safeParse(input).data?.device_id;
    if (deviceId === undefined) {
      answer({ ok: false, reason: 'validation_failed' });
      return;
    }
    if (this.#openings.take(socket.data.claims.sid) !== undefined) {
      answer({ ok: false, reason: 'rate_limited' });
      return;
    }
    const refusal = this.#refusalOf(socket.data.claims, deviceId);
    if (refusal !== undefined) {
      if (refusal !== 'forbidden') socket.emit('talkGone', { reason: refusal });
      answer({ ok: false, reason: refusal });
      return;
    }
    answer({ ok: true });
    this.#begin(socket, { userId: socket.data.claims.sub, deviceId });
  }

  #refusalOf(claims: Caller['claims'], deviceId: string): GoneReason | 'forbidden' | undefined {
    if (claims.kind !== 'user' || !mayTalk(claims.grants)) return 'forbidden';
    if (this.#attachedTo(claims)?.deviceId === deviceId) return undefined;
    return this.#ground.devices.wasRemoved({ userId: claims.sub, deviceId }) ? 'removed' : 'not_attached';
  }

  /** On this socket from now on, and on no other. */
  #begin(socket: ConsoleSocket, device: DeviceKey): void {
    const { devices, clock, signals } = this.#ground;
    const { deviceId } = device;
    if (this.#open.get(deviceId)?.socket !== socket) {
      this.close(deviceId, 'elsewhere');
      this.#leave(socket);
    }
    devices.touch(deviceId, clock.now());
    const orgId = socket.data.claims.org;
    const open: OpenQueue = { device, orgId, socket, sent: undefined, isNews: true };
    this.#open.set(deviceId, open);
    socket.data.device = device;
    this.#pump(open);
    signals.emit({ kind: 'queue_opened', device, socket });
  }

  #done(socket: ConsoleSocket, input: unknown): void {
    const { db, queue, devices, clock } = this.#ground;
    const upto = TalkDone.safeParse(input).data;
    const deviceId = socket.data.device?.deviceId;
    const open = deviceId === undefined ? undefined : this.#open.get(deviceId);
    if (!open || open.socket !== socket || !this.#mayGoOn(open)) return;
    const { sent } = open;
    // Anything but the answer to what was sent (an answer to a batch of before a reconnect) deletes nothing.
    if (!sent || sent.upto !== upto) return;
    const forget = db.transaction(() => {
      queue.taken(open.device.deviceId, sent.upto);
      devices.setListsUpto(open.device.deviceId, sent.listsUpto);
      devices.touch(open.device.deviceId, clock.now());
    });
    forget.immediate();
    open.sent = undefined;
    this.#pump(open);
  }

  /** A renewed token may be of another session, or hold other grants. */
  #mayGoOn(open: OpenQueue): boolean {
    const { claims } = open.socket.data;
    const isDevice = this.#attachedTo(claims)?.deviceId === open.device.deviceId;
    if (isDevice && mayTalk(claims.grants)) return true;
    this.close(open.device.deviceId, 'not_attached');
    return false;
  }

  /** Sends the next batch unless one is under way. */
  #pump(open: OpenQueue): void {
    this.#guarded(open.socket, () => {
      if (open.sent || this.#open.get(open.device.deviceId) !== open || !this.#mayGoOn(open)) return;
      const batch = this.#nextBatch(open);
      if (!batch) return;
      open.sent = { upto: batch.upto, listsUpto: batch.device_lists.upto };
      open.isNews = false;
      open.socket.emit('talk', batch);
    });
  }

  #nextBatch({ device, orgId, isNews }: OpenQueue): Batch | undefined {
    const { queue, devices, lists, oneTimeKeys } = this.#ground;
    const { deviceId, userId } = device;
    const listsUpto = lists.position();
    const told = devices.get(deviceId)?.listsUpto ?? 0;
    const changed = told < listsUpto ? lists.changedAfter(told, { userId, orgId }) : [];
    const { batch, end } = cutBatch(this.#filled(queue.next(deviceId, talkLimits.batchItemsMax + 1)));
    if (batch.length === 0 && changed.length === 0 && !isNews) return undefined;
    return {
      items: batch.flatMap(({ item }) => item ?? []),
      upto: batch.at(-1)?.pos ?? queue.position(),
      end,
      device_lists: { changed: changed.map((id) => talkUserId(id, orgId)), upto: listsUpto },
      one_time_key_counts: { signed_curve25519: oneTimeKeys.count(deviceId) },
      unused_fallback_key_types: oneTimeKeys.hasUnusedFallback(deviceId) ? ['signed_curve25519'] : [],
    };
  }

  /** One by one, so that what does not fit into the batch is not read for nothing. An event of a room counts by its real size. */
  *#filled(
    rows: readonly QueueRow[],
  ): Generator<{ pos: number; bytes: number; item: QueueItem | undefined }> {
    for (const row of rows) {
      const item = this.#itemOf(row);
      const bytes =
        item?.kind === 'room_event' ? JSON.stringify(item.event.content).length + row.bytes : row.bytes;
      yield { pos: row.pos, bytes, item };
    }
  }

  #itemOf({ pos, atMs, body, roomId, roomSeq }: QueueRow): QueueItem | undefined {
    const at = toRfc3339(atMs);
    // Checked when it was put in; a later release must not stumble over what an earlier one took.
    if (body !== null) return { ...(JSON.parse(body) as object), pos, at } as QueueItem;
    if (roomId === null || roomSeq === null) return undefined;
    if (roomSeq < 0) {
      const room = this.#readRoom({ roomId, statements: -roomSeq });
      return room && { pos, at, kind: 'room', room };
    }
    const event = this.#readRoomEvent({ roomId, seq: roomSeq });
    return event && { pos, at, kind: 'room_event', event };
  }

  #leave(socket: ConsoleSocket): void {
    const deviceId = socket.data.device?.deviceId;
    socket.data.device = undefined;
    if (deviceId !== undefined && this.#open.get(deviceId)?.socket === socket) this.#open.delete(deviceId);
  }

  /** What fails on one socket ends that socket alone: its client comes back and nothing was forgotten. */
  #guarded(socket: ConsoleSocket, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#ground.log.error('queue_failed', { error, socket: socket.id });
      this.#leave(socket);
      socket.disconnect(true);
    }
  }
}
