/**
 * One opened device at work: takes batches, sends jobs, and does what is left over in between. What must stay true: a batch is
 * acknowledged only after its commit, and one thing that fails does not keep the others from going on.
 */
import { TalkOpened } from '@siphera/contract';
import { z } from 'zod';
import { archive } from './archiving.ts';
import { takeBundles } from './bundles.ts';
import { catchUp } from './catch-up.ts';
import { refreshRoom } from './chain.ts';
import { failureOf, wordsOf } from './failures.ts';
import type { Ground } from './ground.ts';
import { checkHidden } from './hidden.ts';
import { History } from './history.ts';
import { ownIdentity, trustOf } from './identity.ts';
import type { Arrival, Momentary } from './inbox.ts';
import { Outbox } from './outbox.ts';
import { giveArchiveKey, offerArchiveKey, oweArchiveKey } from './archive-key.ts';
import { backUp, ensureIdentity } from './recovery.ts';
import { askDue, forgetSent } from './retries.ts';
import { Rereads } from './rereads.ts';
import { fillGaps } from './room-gaps.ts';
import { retryWaiting } from './rooms.ts';
import { sendJob } from './sending.ts';
import { Serial } from './serial.ts';
import { Sync, type After } from './sync.ts';
import { Verifications } from './verifications.ts';
import type { TalkContent } from '../content.ts';

/** After what was done, so long until what is left over is looked at: several batches make one look. */
const restMs = 150;
/** Looks without any cause: for what has to be asked again, or failed. */
const tickMs = 30_000;
/** After a batch that could not be applied: soon for who waits, rare enough for a box that is ill. */
const openAgainMs = 3_000;
/** Batches that may be applied while what earlier ones left over still waits for the network. */
const leftOversMax = 20;

type SessionEvents = {
  /** The server says that this device is no more. */
  removed: () => void;
  /** Another tab has the queue. */
  elsewhere: () => void;
  /** What this device may do has changed: it is the owner's now, or no more. */
  ready: () => void;
};

export class Session {
  readonly ground: Ground;
  readonly outbox: Outbox;
  readonly history: History;
  readonly verifications: Verifications;
  readonly #sync: Sync;
  readonly #events: SessionEvents;
  readonly #batches = new Serial();
  readonly #chores = new Serial();
  readonly rereads: Rereads;
  readonly #hear: Momentary;
  /** The queue was seen to its end. */
  #atEnd = false;
  readonly #leftOvers = new Serial();
  #leftOverCount = 0;
  readonly #newSessions = new Map<string, Set<string>>();
  readonly #off: (() => void)[] = [];
  #choresWait = false;
  /** May this device write and read as its owner's: signed by the identity, which it holds. */
  ready = false;
  #caughtUp = false;
  #proved = false;
  #opensAgain = false;
  #opening = false;

  constructor(ground: Ground, events: SessionEvents) {
    this.ground = ground;
    this.#events = events;
    const momentary = (arrival: Arrival, content: TalkContent): void => this.#momentary(arrival, content);
    this.outbox = new Outbox(
      ground,
      (job) => sendJob(ground, this.outbox, job),
      () => this.attach(),
    );
    this.history = new History(ground, this.outbox, momentary);
    this.#sync = new Sync(ground, this.outbox, momentary);
    this.#hear = momentary;
    this.rereads = new Rereads(ground, (roomId) => this.refresh(roomId));
    this.verifications = new Verifications(ground, (user, device) => void this.#verified(user, device));
    this.#retry = (room, sessions, isReadAnew = false) =>
      retryWaiting(ground, room, sessions, momentary, isReadAnew);
  }

  readonly #retry: (
    room: string,
    sessions: ReadonlySet<string> | undefined,
    isReadAnew?: boolean,
  ) => Promise<void>;

  async load(): Promise<void> {
    const { ground } = this;
    await ground.load();
    await this.outbox.load();
    await this.#sync.load();
    const { olm } = ground.machine;
    olm.registerRoomKeyUpdatedCallback(async (keys) => {
      for (const key of keys) {
        const room = key.roomId.toString().slice(1, 37);
        const sessions = this.#newSessions.get(room) ?? new Set();
        this.#newSessions.set(room, sessions.add(key.sessionId));
      }
      this.rest();
    });
    const told = (user: string): void => ground.emit({ what: 'devices', userId: user.slice(1, 37) });
    olm.registerDevicesUpdatedCallback(async (users) => users.forEach(told));
    olm.registerUserIdentityUpdatedCallback(async (user) => {
      told(user.toString());
      ground.emit({ what: 'conversations' });
      const mine = user.toString() === ground.machine.me;
      if (mine && (this.ready || (await trustOf(ground, ground.machine.me)) === 'changed'))
        this.#events.ready();
      this.outbox.kick(true);
    });
  }

  /** Hears the socket from now on. */
  listen(): void {
    const { socket } = this.ground.place;
    this.#off.push(
      socket.on('talk', (batch) => void this.#batches.run(() => this.#batch(batch))),
      socket.on('talkGone', ({ reason }) => this.#gone(reason)),
      socket.on(
        'reads',
        (read) => void this.#read(read).catch((error: unknown) => this.#failed('reads', error)),
      ),
      socket.onConnect(() => void this.openQueue()),
      socket.onDisconnect(() => this.#tellConnection()),
    );
    void this.#tick();
  }

  /** Proves to the server that this session is on this device. @throws what the port throws */
  async attach(opened?: z.infer<typeof TalkOpened>): Promise<void> {
    const { place, machine } = this.ground;
    const params = { id: machine.deviceId };
    const { challenge } = opened ?? TalkOpened.parse(await place.rest.call('openTalkDevice', { params }));
    const signature = await machine.sign(`siphera-attach:${challenge}:${place.sessionId()}`);
    await place.rest.call('attachTalkDevice', { params, body: { challenge, signature } });
  }

  /** Keys up, this session on this device, an identity for a person that has none. @throws what the port throws */
  async prove(opened?: z.infer<typeof TalkOpened>): Promise<void> {
    if (this.#proved) return;
    const { machine } = this.ground;
    await machine.drain();
    await this.attach(opened);
    await machine.drain();
    await machine.track([machine.me]);
    await ensureIdentity(this.ground);
    this.#proved = true;
    await this.settle();
  }

  /** Asks for the queue on the socket that is connected now. */
  async openQueue(): Promise<void> {
    const { place, closed } = this.ground;
    if (closed || this.#opening || !place.socket.connected()) return;
    this.#opening = true;
    try {
      await this.#openQueue();
    } catch (error) {
      this.#failed('open', error);
      if (failureOf(error) === 'gone') this.#events.removed();
      else this.#openAgain();
      return;
    } finally {
      this.#opening = false;
    }
    this.#tellConnection();
    this.outbox.kick(true);
    this.rest();
  }

  async #openQueue(): Promise<void> {
    const { place, machine } = this.ground;
    const open = { device_id: machine.deviceId };
    const first = await place.socket.talkOpen(open);
    if (first.ok) return;
    // `removed` comes as an event too, and ends this session; any other refusal may be another one the next time.
    if (first.reason === 'removed') return;
    if (first.reason !== 'not_attached') throw new Error(`The queue was not opened: ${first.reason ?? ''}`);
    await this.attach();
    const second = await place.socket.talkOpen(open);
    if (!second.ok) throw new Error(`The queue was not opened: ${second.reason ?? ''}`);
  }

  #tellConnection(): void {
    const online = this.ground.place.socket.connected();
    this.ground.emit({ what: 'connection', online, waiting: this.outbox.waiting });
  }

  #gone(reason: 'removed' | 'elsewhere' | 'not_attached'): void {
    if (reason === 'removed') this.#events.removed();
    else if (reason === 'elsewhere') this.#events.elsewhere();
    else if (!this.#opening) void this.openQueue();
  }

  async #batch(raw: unknown): Promise<void> {
    if (this.ground.closed) return;
    try {
      const { batch, after } = await this.#sync.apply(raw);
      this.#atEnd = batch.end;
      this.ground.place.socket.talkDone(batch.upto);
      await this.#later(() => this.#leftOver(after));
    } catch (error) {
      this.#failed('batch', error);
      this.#openAgain();
    }
    this.rest();
  }

  /** What was not acknowledged comes again with the next opening of the queue. */
  #openAgain(): void {
    if (this.#opensAgain) return;
    this.#opensAgain = true;
    void this.ground.place.wait(openAgainMs).then(() => {
      this.#opensAgain = false;
      return this.openQueue();
    });
  }

  /** Beside the batches that come next: what waits for the network holds up nothing that comes in. */
  async #later(work: () => Promise<void>): Promise<void> {
    if (this.#leftOverCount >= leftOversMax) await this.#leftOvers.idle();
    this.#leftOverCount += 1;
    void this.#leftOvers.run(work).finally(() => {
      this.#leftOverCount -= 1;
    });
  }

  async #leftOver(after: After): Promise<void> {
    for (const content of after.historySent) this.history.heard(content);
    await this.#attempt('drain', async () => {
      await this.ground.machine.freshen();
      await checkHidden(this.ground, after.named);
    });
    if (after.bundles) await this.#attempt('bundle', () => this.#takeBundles());
    for (const roomId of new Set(after.stale)) await this.#attempt('room', () => this.refresh(roomId));
    if (after.verifications.length > 0)
      await this.#attempt('verification', () => this.verifications.heard(after.verifications));
  }

  #takeBundles(): Promise<void> {
    return takeBundles(this.ground, (roomId, sender) => this.history.received(roomId, sender));
  }

  /** Reads a room and its statements anew, and then what waited for them. */
  async refresh(roomId: string): Promise<void> {
    await refreshRoom(this.ground, roomId);
    await this.#retry(roomId, undefined, true);
  }

  async #attempt(what: string, work: () => Promise<void>): Promise<void> {
    if (this.ground.closed) return;
    try {
      await work();
    } catch (error) {
      this.#failed(what, error);
    }
  }

  #failed(what: string, error: unknown): void {
    if (!this.ground.closed) this.ground.place.log('warn', 'talk_later', { what, error: wordsOf(error) });
  }

  /** Soon, what is left over. */
  rest(): void {
    if (this.#choresWait || this.ground.closed) return;
    this.#choresWait = true;
    void this.ground.place.wait(restMs).then(() => {
      this.#choresWait = false;
      return this.chores();
    });
  }

  async #tick(): Promise<void> {
    while (!this.ground.closed) {
      await this.ground.place.wait(tickMs);
      await this.chores();
    }
  }

  /** Everything that may be done at any time, once. */
  chores(): Promise<void> {
    return this.#chores.run(async () => {
      const { ground } = this;
      if (ground.closed) return;
      for (const [room, sessions] of [...this.#newSessions]) {
        this.#newSessions.delete(room);
        await this.#attempt('keys', () => this.#retry(room, sessions));
      }
      if (!ground.place.socket.connected()) return;
      await this.#attempt('requests', () => ground.machine.drain());
      await this.#attempt('prove', () => this.prove());
      await this.#attempt('settle', () => this.settle());
      if (!this.ready) return;
      await this.#attempt('rooms', () => this.rereads.due());
      await this.#attempt('bundles', () => this.#takeBundles());
      if (this.#atEnd) await this.#attempt('gaps', () => fillGaps(ground, this.#hear));
      await this.#attempt('give_archive_key', () => giveArchiveKey(ground, this.outbox));
      await this.#attempt('backup', () => backUp(ground));
      await this.#attempt('archive', () => archive(ground));
      await this.#attempt('forget', () => forgetSent(ground));
      await this.#attempt('ask', () => askDue(ground, this.outbox));
      await this.#attempt('history', () => this.history.wanted());
    });
  }

  /** Whether this device has become one that its owner signed; then it reads what was before it. */
  async settle(): Promise<void> {
    if (this.ready && this.#caughtUp) return;
    const own = await ownIdentity(this.ground);
    if (!own.privateKeys || !own.signed || own.changed) return;
    if (!this.ready) {
      this.ready = true;
      this.outbox.start();
      this.#events.ready();
    }
    await this.catchUp();
  }

  /** Rooms, backup and archive: once, and again only what had not come. */
  async catchUp(): Promise<void> {
    if (this.#caughtUp) return;
    this.#caughtUp = await catchUp(this.ground, this.history, (roomId) => this.#retry(roomId, undefined));
  }

  #momentary(arrival: Arrival, content: TalkContent): void {
    const { ground } = this;
    const { senderId: userId, senderDevice: deviceId } = arrival;
    // Whatever acts at once, acts only for devices that their owner has signed.
    if (arrival.senderUnsigned || arrival.history) return;
    if (content.t === 'call') {
      const { at: receivedAt, envelope } = arrival;
      ground.emit({ what: 'call', userId, deviceId, content, sentAt: envelope.at, receivedAt });
    } else if (content.t === 'history_request') {
      if (arrival.conv === `r:${content.room_id}`)
        void this.#attempt('give', () => this.history.asked(content.room_id, userId, deviceId));
    } else if (content.t === 'secret' && userId === ground.userId)
      void this.#attempt('secret', async () => {
        await offerArchiveKey(ground, content.value);
        this.rest();
      });
  }

  /** A comparison came to a good end. A new device of mine is owed the key of the archive, once the server says it is signed. */
  async #verified(user: string, deviceId: string | null): Promise<void> {
    const { ground } = this;
    ground.emit({ what: 'devices', userId: user.slice(1, 37) });
    if (user === ground.machine.me && deviceId !== null && this.ready)
      await this.#attempt('owe', () => oweArchiveKey(ground, deviceId));
    this.rest();
  }

  async #read(read: unknown): Promise<void> {
    const known = Read.safeParse(read);
    if (!known.success) return;
    const { room_id: roomId, user_id: userId, seq } = known.data;
    const { ground } = this;
    if (!ground.conversations.get(`r:${roomId}`)?.room) return;
    await ground.write(async (draft) => {
      const record = await ground.conversation(draft, `r:${roomId}`);
      if (!record.room || (record.room.reads[userId] ?? 0) >= seq) return;
      record.room.reads[userId] = seq;
      if (userId === ground.userId)
        record.unread = record.unread.filter((one) => one.seq === null || one.seq > seq);
      ground.keep(draft, record);
      draft.after(() => ground.emit({ what: 'messages', conversation: record.id, ids: [] }));
    });
  }

  /** Ends it; what is under way is waited for. */
  async stop(): Promise<void> {
    this.ground.closed = true;
    for (const off of this.#off) off();
    this.outbox.stop();
    await this.#batches.idle();
    await this.#leftOvers.idle();
    await this.#chores.idle();
    await this.ground.ledger.idle();
  }
}
const Read = z.object({ room_id: z.string(), user_id: z.string(), seq: z.int() });
