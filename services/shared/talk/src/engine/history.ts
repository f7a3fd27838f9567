/**
 * What was said in a room before somebody came. Events come from the server, which cannot read them; keys come as a bundle from a
 * member. What must stay true: keys are given to members alone, to devices that their owner signed, and taken from members alone.
 */
import { RoomId, UserId, type ToDeviceRequest } from '@matrix-org/matrix-sdk-crypto-wasm';
import { TalkRoomEvent } from '@siphera/contract';
import { z } from 'zod';
import type { ConversationId } from '../content.ts';
import { roomConversation } from './chain.ts';
import { wordsOf } from './failures.ts';
import type { Ground } from './ground.ts';
import { learnWriters, refuseOwnChanged, trustOf } from './identity.ts';
import type { Momentary } from './inbox.ts';
import { signedOnly } from './machine.ts';
import type { Outbox } from './outbox.ts';
import type { ConversationRecord } from './records.ts';
import { receiveRoomEvent, retryWaiting, type WaitRecord } from './rooms.ts';

/** Events of one reading, and of all that one request brings; older ones come when somebody scrolls there. */
const pageEvents = 200;
const pagesMax = 10;
/** A device waits so long for each that is before it in the row, so that one answers and not all. */
const turnMs = 1_500;
const turnsMax = 20;
/** The same device is answered once in this time. */
const answerAgainMs = 30_000;

/** When keys of before are asked for again, after the time before: the last of them a day after the first. */
const askAfterMs = [60_000, 600_000, 3_600_000, 6 * 3_600_000, 16 * 3_600_000] as const;

export const historySentType = 'siphera.history_sent';
const HistorySent = z.object({ room_id: z.uuid(), user_id: z.uuid(), device_id: z.string().max(40) });
const EventsPage = z.object({ items: z.array(TalkRoomEvent).max(pageEvents), more: z.boolean() });
export const isBundle = (type: string): boolean => /(^|\.)room_key_bundle$/.test(type);

export class History {
  readonly #ground: Ground;
  readonly #outbox: Outbox;
  readonly #momentary: Momentary;
  /** `<room>:<device>` → when it was answered, by me or another. */
  readonly #answered = new Map<string, number>();

  constructor(ground: Ground, outbox: Outbox, momentary: Momentary) {
    this.#ground = ground;
    this.#outbox = outbox;
    this.#momentary = momentary;
  }

  /** One more page of older events. Answers whether there may be more. */
  async older(conv: ConversationId): Promise<boolean> {
    const ground = this.#ground;
    const room = ground.conversations.get(conv)?.room;
    if (!room || room.complete) return false;
    const query = { limit: String(pageEvents), ...(room.oldest !== null && { before: String(room.oldest) }) };
    const page = EventsPage.parse(
      await ground.place.rest.call('listRoomEvents', { params: { id: room.roomId }, query }),
    );
    await learnWriters(ground, page.items).catch(() => undefined);
    await ground.write(async (draft) => {
      for (const event of page.items)
        if (event.room_id === room.roomId)
          await receiveRoomEvent(ground, draft, event, true, this.#momentary);
      const record = await ground.conversation(draft, conv);
      if (!record.room) return;
      const seqs = page.items.map((event) => event.seq);
      record.room.oldest = Math.min(record.room.oldest ?? Infinity, ...seqs);
      if (!Number.isFinite(record.room.oldest)) record.room.oldest = null;
      record.room.complete = !page.more || page.items.length === 0;
      ground.keep(draft, record);
    });
    return page.more;
  }

  /** For rooms that I came to later: reads what there is, and asks for keys when some are missing. */
  async wanted(): Promise<void> {
    for (const record of [...this.#ground.conversations.values()]) {
      if (record.room?.wantsHistory !== true && !this.#asksAgain(record)) continue;
      try {
        await this.#want(record.id);
      } catch (error) {
        this.#ground.place.log('info', 'talk_history_later', { error: wordsOf(error) });
      }
    }
  }

  /** While something waits for its key: who has it may have been away, or what he gave may have been lost. */
  #asksAgain({ room }: ConversationRecord): boolean {
    if (!room?.asks) return false;
    const { tries, nextAt } = room.asks;
    const now = this.#ground.place.now();
    const isDue = nextAt <= now || nextAt > now + (askAfterMs.at(-1) ?? 0);
    return tries <= askAfterMs.length && isDue;
  }

  async #want(conv: ConversationId): Promise<void> {
    const ground = this.#ground;
    const isFirst = ground.conversations.get(conv)?.room?.wantsHistory === true;
    for (let page = 0; isFirst && page < pagesMax; page += 1) if (!(await this.older(conv))) break;
    const roomId = conv.slice(2);
    const waiting = await ground.store.range<WaitRecord>('seen', `wait|${roomId}|`, `wait|${roomId}}`);
    const locked = waiting.filter(({ value }) => value.session !== 'room' && value.session !== 'broken');
    await ground.write(async (draft) => {
      const record = await ground.conversation(draft, conv);
      if (!record.room) return;
      const tries = isFirst ? 0 : (record.room.asks?.tries ?? 0);
      record.room.wantsHistory = false;
      if (locked.length === 0) delete record.room.asks;
      else record.room.asks = { tries: tries + 1, nextAt: ground.place.now() + (askAfterMs[tries] ?? 0) };
      ground.keep(draft, record);
      if (locked.length === 0) return;
      for (const userId of record.room.chain.members)
        this.#outbox.add(draft, {
          job: 'olm',
          id: ground.place.randomUuid(),
          to: ground.userName(userId),
          devices: null,
          conv,
          content: { t: 'history_request', room_id: roomId },
        });
    });
  }

  /** A member asks. Waits for its turn, and gives nothing when somebody else has. */
  async asked(roomId: string, userId: string, deviceId: string): Promise<void> {
    const ground = this.#ground;
    const name = `${roomId}:${deviceId}`;
    if (!this.#mayHave(roomId, userId) || this.#isAnswered(name)) return;
    await ground.place.wait((await this.#turn(roomId, userId)) * turnMs);
    if (ground.closed || !this.#mayHave(roomId, userId) || this.#isAnswered(name)) return;
    this.#answered.set(name, ground.place.now());
    if (!(await this.#give(roomId, userId))) return;
    await this.#tell(roomId, userId, deviceId);
  }

  #isAnswered(name: string): boolean {
    const age = this.#ground.place.now() - (this.#answered.get(name) ?? -Infinity);
    return age >= 0 && age < answerAgainMs;
  }

  #mayHave(roomId: string, userId: string): boolean {
    const room = this.#ground.conversations.get(roomConversation(roomId))?.room;
    const members = room?.chain.members ?? [];
    // Who is not delivered to any more works here no more, or at another site.
    const isHere = userId === this.#ground.userId || room?.delivered.includes(userId) === true;
    return members.includes(userId) && members.includes(this.#ground.userId) && isHere;
  }

  /** My place in the row of those who could answer: the one who asks last, then by name. */
  async #turn(roomId: string, askedBy: string): Promise<number> {
    const ground = this.#ground;
    const members = ground.conversations.get(roomConversation(roomId))?.room?.chain.members ?? [];
    const row = members.toSorted((a, b) => Number(a === askedBy) - Number(b === askedBy) || (a < b ? -1 : 1));
    const own = (await ground.machine.devicesOf(ground.machine.me)).map((one) => one.deviceId).sort();
    return Math.min(row.indexOf(ground.userId) + Math.max(0, own.indexOf(ground.deviceId)), turnsMax);
  }

  async #give(roomId: string, userId: string): Promise<boolean> {
    const { machine, place } = this.#ground;
    const user = this.#ground.userName(userId);
    const room = this.#ground.roomName(roomId);
    const bundle = await machine.call((olm) => olm.buildRoomKeyBundle(new RoomId(room)));
    const info = bundle?.mediaEncryptionInfo;
    if (!bundle || info === undefined) return false;
    const bytes = bundle.encryptedData;
    bundle.free();
    await machine.track([user]);
    await machine.freshen();
    await machine.claim([user]);
    const { id } = await place.rest.upload({ user_ids: userId }, bytes);
    await refuseOwnChanged(this.#ground);
    if ((await trustOf(this.#ground, user)) === 'changed') return false;
    const requests: ToDeviceRequest[] = await machine.call((olm) =>
      olm.shareRoomKeyBundleData(new UserId(user), new RoomId(room), id, info, signedOnly()),
    );
    for (const request of requests) await machine.send(request);
    return requests.length > 0;
  }

  async #tell(roomId: string, userId: string, deviceId: string): Promise<void> {
    const ground = this.#ground;
    const members = ground.conversations.get(roomConversation(roomId))?.room?.chain.members ?? [];
    const content = { room_id: roomId, user_id: userId, device_id: deviceId };
    const messages: Record<string, Record<string, unknown>> = {};
    for (const member of members) {
      const user = ground.userName(member);
      for (const device of await ground.machine.devicesOf(user))
        if (user !== ground.machine.me || device.deviceId !== ground.deviceId)
          (messages[user] ??= {})[device.deviceId] = content;
    }
    const id = ground.place.randomUuid();
    await ground.write(async (draft) => {
      this.#outbox.add(draft, { job: 'plain', id, lane: 'history', type: historySentType, messages });
    });
  }

  /** Somebody says that he answered. It can at worst keep this device from answering for a while. */
  heard(content: unknown): void {
    const read = HistorySent.safeParse(content);
    if (!read.success) return;
    this.#answered.set(`${read.data.room_id}:${read.data.device_id}`, this.#ground.place.now());
  }

  /** A bundle came from somebody, for a room: taken when both are members. @throws Error for what may be taken later */
  async received(roomId: string, sender: string): Promise<void> {
    const ground = this.#ground;
    const members = ground.conversations.get(roomConversation(roomId))?.room?.chain.members ?? [];
    if (!members.includes(sender.slice(1, 37)) || !members.includes(ground.userId))
      throw new Error('Who gave keys is no member, as far as is known here');
    await ground.machine.query([sender]);
    const room = ground.roomName(roomId);
    const data = await ground.machine.call((olm) =>
      olm.getReceivedRoomKeyBundleData(new RoomId(room), new UserId(sender)),
    );
    if (!data) return;
    const bytes = await ground.place.rest.download(data.url);
    await ground.machine.call((olm) => olm.receiveRoomKeyBundle(data, bytes));
    await retryWaiting(ground, roomId, undefined, this.#momentary);
  }
}
