/**
 * The queue of this device. A batch is applied and committed, then acknowledged, then answered. What must stay true: once the
 * library has decrypted something it cannot do so again, so between that and the commit nothing may wait or fail for the network; and a
 * batch that comes twice is applied once.
 */
import { QueueBatch, QueueItem } from '@siphera/contract';
import { z } from 'zod';
import { noteBundle } from './bundles.ts';
import { learnSigners, applyRoom } from './chain.ts';
import { isWithheld } from './direct.ts';
import { failureOf, wordsOf } from './failures.ts';
import type { Ground } from './ground.ts';
import { countEnd, type Named } from './hidden.ts';
import { historySentType, isBundle } from './history.ts';
import { learnWriters, trustOf, type Writer } from './identity.ts';
import { applyArrival, directConversation, readEnvelope, type Momentary } from './inbox.ts';
import type { Received } from './machine.ts';
import type { Outbox } from './outbox.ts';
import { answerRetry, askFor, isAskedFor, retryType } from './retries.ts';
import { receiveRoomEvent } from './rooms.ts';
import type { AskRecord } from './records.ts';
import type { Draft } from './store.ts';
import type { ConversationId } from '../content.ts';

/** Items whose names are kept: several times what can come again, which is one batch. */
const appliedMax = 400;
/** A batch waits so often for the keys of who wrote it. Then it is applied without: its writers count as unsigned. */
const keyTriesMax = 3;

type ToDevice = Extract<QueueItem, { kind: 'to_device' }>;
/** What a batch leaves to be done with the network. */
export type After = {
  named: Named[];
  /** Some came, and lie in the tables. */
  bundles: boolean;
  verifications: { user: string; flowId: string }[];
  /** Rooms whose chain could not be read to its end. */
  stale: string[];
  received: { conv: ConversationId; id: string; sender: string }[];
  historySent: unknown[];
};

export class Sync {
  readonly #ground: Ground;
  readonly #outbox: Outbox;
  readonly #momentary: Momentary;
  #applied: string[] = [];
  #keyTries = 0;

  constructor(ground: Ground, outbox: Outbox, momentary: Momentary) {
    this.#ground = ground;
    this.#outbox = outbox;
    this.#momentary = momentary;
  }

  async load(): Promise<void> {
    this.#applied = (await this.#ground.store.get<string[]>('meta', 'applied')) ?? [];
  }

  /** Applies and commits a batch. Answers what is left to do; the caller acknowledges first. */
  async apply(raw: unknown): Promise<{ batch: z.infer<typeof QueueBatch>; after: After }> {
    const batch = this.#read(raw);
    // Who wrote is known before anything is opened: what is said of a message's sender is decided as it comes in.
    await this.#knowWriters(batch.items.flatMap(writerOf));
    const rooms = batch.items.flatMap((item) => (item.kind === 'room' ? [item.room] : []));
    let areSignersKnown = true;
    await learnSigners(this.#ground, rooms).catch((error: unknown) => {
      areSignersKnown = false;
      this.#ground.place.log('info', 'talk_signers_later', { error: wordsOf(error) });
    });
    const after: After = {
      named: [],
      bundles: false,
      verifications: [],
      stale: [],
      received: [],
      historySent: [],
    };
    await this.#ground.write(async (draft) => {
      const names = batch.items.map(nameOf);
      const fresh = batch.items.filter((_, at) => !this.#applied.includes(names[at] ?? ''));
      const applied = [...this.#applied, ...names].slice(-appliedMax);
      const opened = await this.#receive(batch, fresh);
      for (const item of fresh) await this.#item(draft, item, opened.get(item.pos), after, areSignersKnown);
      if (fresh.length > 0) draft.put('meta', 'applied', applied);
      confirm(this.#ground, draft, this.#outbox, after.received);
      if (batch.end) await countEnd(this.#ground, draft);
      draft.after(() => {
        this.#applied = applied;
      });
    });
    return { batch, after };
  }

  async #knowWriters(writers: readonly Writer[]): Promise<void> {
    try {
      await learnWriters(this.#ground, writers);
    } catch (error) {
      this.#keyTries += 1;
      if (failureOf(error) === 'later' && this.#keyTries < keyTriesMax) throw error;
      this.#ground.place.log('warn', 'talk_writers_unknown', { error: wordsOf(error) });
    }
    this.#keyTries = 0;
  }

  /** An item that cannot be read, of a newer server or a sick one, holds up none of the others. */
  #read(raw: unknown): z.infer<typeof QueueBatch> {
    const { items, ...rest } = LooseBatch.parse(raw);
    const read = items.map((item) => QueueItem.safeParse(item));
    for (const one of read)
      if (!one.success) this.#ground.place.log('warn', 'talk_item_unreadable', { error: one.error.message });
    return { ...rest, items: read.flatMap((one) => (one.success ? [one.data] : [])) };
  }

  /** Hands the library what is new of this batch, all at once. */
  async #receive(
    batch: z.infer<typeof QueueBatch>,
    fresh: readonly QueueItem[],
  ): Promise<Map<number, Received>> {
    const items = fresh.filter(
      (item): item is ToDevice => item.kind === 'to_device' && !isWithheld(item.event.content),
    );
    const events = items.map(({ event }) => ({
      type: event.type,
      sender: event.sender,
      content: event.content,
    }));
    const opened = await this.#ground.machine.receive(
      events,
      batch.device_lists,
      batch.one_time_key_counts,
      batch.unused_fallback_key_types,
    );
    // One answer for each; were it ever otherwise, nothing could be told apart, and all is asked for again.
    if (opened.length !== items.length)
      this.#ground.place.log('error', 'talk_batch_uneven', { in: items.length, out: opened.length });
    const even = opened.length === items.length;
    return new Map(
      items.map((item, at) => [item.pos, (even ? opened[at] : undefined) ?? { is: 'undecryptable' }]),
    );
  }

  async #item(
    draft: Draft,
    item: QueueItem,
    opened: Received | undefined,
    after: After,
    areSignersKnown: boolean,
  ): Promise<void> {
    const ground = this.#ground;
    switch (item.kind) {
      case 'to_device':
        await this.#toDevice(draft, item, opened, after);
        return;
      case 'room_event': {
        const { event } = item;
        const verdict = await receiveRoomEvent(ground, draft, event, false, this.#momentary);
        if (verdict === 'unexplained') after.stale.push(event.room_id);
        // Who is no member is asked for nothing: his answer would come past the room.
        if (verdict !== 'waits') return;
        await askFor(ground, draft, {
          id: event.event_id,
          sender: event.sender,
          device: event.sender_device,
          at: Date.parse(event.at),
          show: false,
        });
        return;
      }
      case 'room': {
        const record = await applyRoom(ground, draft, item.room, areSignersKnown);
        if (record.room?.stale === true) after.stale.push(item.room.id);
        return;
      }
      case 'device_new': {
        const { device, address } = item;
        draft.after(() =>
          ground.emit({ what: 'new_own_device', deviceId: device.id, name: device.name, address }),
        );
      }
    }
  }

  async #toDevice(draft: Draft, item: ToDevice, opened: Received | undefined, after: After): Promise<void> {
    const { event } = item;
    if (opened?.is === 'decrypted') {
      await this.#decrypted(draft, item, opened, after);
      return;
    }
    if (opened?.is === 'plain') {
      await this.#plain(draft, event, after);
      return;
    }
    if (event.message_id === undefined) return;
    await askFor(this.#ground, draft, {
      id: event.message_id,
      sender: event.sender,
      device: event.sender_device,
      at: Date.parse(item.at),
      show: opened !== undefined,
    });
  }

  /** Nobody proves who wrote it: no more is done than anybody may ask for. */
  async #plain(draft: Draft, event: ToDevice['event'], after: After): Promise<void> {
    if (event.type === retryType) {
      const { content, sender, sender_device: device } = event;
      await answerRetry(this.#ground, draft, this.#outbox, { content, sender, device });
    } else if (event.type === historySentType) after.historySent.push(event.content);
    else this.#verification(event.type, event.content, event.sender, after);
  }

  #verification(type: string, content: unknown, user: string, after: After): void {
    if (!type.startsWith('m.key.verification.')) return;
    const read = Flow.safeParse(content);
    if (read.success) after.verifications.push({ user, flowId: read.data.transaction_id });
  }

  async #decrypted(
    draft: Draft,
    item: ToDevice,
    opened: Extract<Received, { is: 'decrypted' }>,
    after: After,
  ): Promise<void> {
    const ground = this.#ground;
    const { sender, type, content } = opened;
    if (isBundle(type)) {
      const read = BundleRoom.safeParse(content);
      if (!read.success) return;
      noteBundle(ground, draft, read.data.room_id.slice(1, 37), sender);
      after.bundles = true;
      return;
    }
    this.#verification(type, content, sender, after);
    const envelope = type === 'siphera.message' ? readEnvelope(content) : undefined;
    // Olm says which device wrote it; where the library does not know that device, only the server does, and it counts as unsigned.
    const device = opened.device ?? item.event.sender_device;
    if (!envelope) return;
    const senderId = sender.slice(1, 37);
    const facts = opened.device === undefined ? undefined : await ground.machine.deviceOf(sender, device);
    const signed = facts?.signedByOwner === true;
    const forRoom =
      envelope.conv.startsWith('r:') && (await isAskedFor(ground, draft, envelope, sender, device));
    const conv = forRoom ? (envelope.conv as ConversationId) : this.#conversationOf(envelope, senderId);
    if (conv === undefined) {
      ground.place.log('warn', 'talk_message_rejected', { why: 'of another conversation' });
      return;
    }
    const seq = forRoom ? await seqOf(draft, envelope.id) : null;
    const asked = await draft.get<AskRecord>('seen', `ask:${envelope.id}`);
    const first = asked?.sender === sender && asked.device === device ? asked.at : undefined;
    const verdict = await applyArrival(
      ground,
      draft,
      {
        envelope,
        conv,
        senderId,
        senderDevice: device,
        at: seq?.at ?? first ?? Date.parse(item.at),
        seq: seq?.seq ?? null,
        trust: await trustOf(ground, sender),
        senderUnsigned: !signed,
        signed,
        unproven: false,
        history: false,
      },
      this.#momentary,
    );
    draft.remove('seen', `ask:${envelope.id}`);
    if (forRoom) draft.remove('seen', `wait:${envelope.id}`);
    if (envelope.to && signed) after.named.push({ conv, senderId, to: envelope.to, at: Date.parse(item.at) });
    if (verdict !== 'foreign' && envelope.n > 0 && !forRoom && senderId !== ground.userId)
      after.received.push({ conv, id: envelope.id, sender });
  }

  /** Requests for history are about a room, but go past its messages. */
  #conversationOf(
    envelope: NonNullable<ReturnType<typeof readEnvelope>>,
    senderId: string,
  ): ConversationId | undefined {
    const uncounted = envelope.n === 0 && envelope.conv.startsWith('r:');
    if (uncounted && HistoryOnly.safeParse(envelope.content).success) return envelope.conv as ConversationId;
    return directConversation(this.#ground, envelope, senderId);
  }
}

const LooseBatch = QueueBatch.extend({ items: z.array(z.unknown()) });
const Flow = z.looseObject({ transaction_id: z.string().max(200) });
const BundleRoom = z.looseObject({ room_id: z.string().regex(/^![0-9a-f-]{36}:/) });
const HistoryOnly = z.looseObject({ t: z.literal('history_request') });

async function seqOf(draft: Draft, id: string): Promise<{ seq: number | null; at: number } | undefined> {
  return draft.get<{ seq: number | null; at: number }>('messages', id);
}

const writerOf = (item: QueueItem): Writer[] =>
  item.kind === 'to_device' || item.kind === 'room_event' ? [item.event] : [];

/** Place and a mark of what is there: a box that was restored counts anew, and its items are not those seen before. */
function nameOf(item: QueueItem): string {
  const text = JSON.stringify(item);
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return `${item.pos}:${text.length}:${hash}`;
}

/** Tells the writers that their messages are here. */
function confirm(ground: Ground, draft: Draft, outbox: Outbox, received: After['received']): void {
  for (const [to, ones] of Map.groupBy(received, (one) => one.sender)) {
    const [a, b] = [ground.userId, to.slice(1, 37)].sort();
    outbox.confirm(
      draft,
      to,
      `d:${a ?? ''}:${b ?? ''}`,
      ones.map((one) => one.id),
    );
  }
}
