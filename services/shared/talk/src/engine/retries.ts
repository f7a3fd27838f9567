/**
 * Messages that could not be read. The reader asks the writer, who sends it again over Olm to that device alone. What must stay true:
 * only what was meant for a device is sent to it again, and so often at most; who asks is told nothing else.
 */
import { z } from 'zod';
import { TalkContent, type Envelope } from '../content.ts';
import type { Ground } from './ground.ts';
import type { Outbox } from './outbox.ts';
import type { AskRecord, SentRecord, StoredMessage } from './records.ts';
import { arrivedOrder, localConversation } from './records.ts';
import type { Draft } from './store.ts';

/** Of the answering side, for each message and device. */
const triesMax = 5;
/**
 * When a device asks, after the time before. Past the hour, because the library makes a new session in place of a broken one only when
 * that is an hour old.
 */
const askAfterMs = [0, 60_000, 600_000, 65 * 60_000, 6 * 3_600_000] as const;
/** At once, of all that is due: a queue of many is asked for bit by bit. */
const asksMax = 50;
/** A device that could not read something for longer has it from the archive or the backup. */
const sentKeptMs = 14 * 24 * 3_600_000;
/** Rows that go in one look; the next look is soon. */
const forgetMax = 200;

export const retryType = 'siphera.retry';
const RetryContent = z.object({ message_id: z.uuid() });

/** Remembers what was sent, for who could not read it. */
export function rememberSent(draft: Draft, sent: SentRecord): void {
  draft.put('seen', `sent:${sent.envelope.id}`, sent, sentOrder(sent.envelope.at));
}

const sentOrder = (at: number): string => `s|${String(Math.max(0, Math.floor(at))).padStart(15, '0')}`;

/**
 * A message was deleted: who asks for it again gets an empty one, which the deletion then takes; and its edits are gone too. The place in the
 * count of what was sent stays, so that nothing seems to be missing.
 */
export async function forgetPlaintext(ground: Ground, draft: Draft, id: string): Promise<void> {
  const rows = await ground.store.range<SentRecord>('seen', 's|', 's}');
  // With what is written right now.
  const own = await draft.get<SentRecord>('seen', `sent:${id}`);
  const others = rows.map((row) => row.value).filter((one) => one.envelope.id !== id);
  for (const sent of own ? [...others, own] : others) {
    const { envelope } = sent;
    const content = TalkContent.safeParse(envelope.content).data;
    if (envelope.id === id)
      rememberSent(draft, { ...sent, envelope: { ...envelope, content: { t: 'text', body: '' } } });
    else if (content?.t === 'edit' && content.target === id)
      rememberSent(draft, { ...sent, envelope: { ...envelope, content: { t: 'delete', target: id } } });
  }
}

/** What is older than anybody asks for goes. */
export async function forgetSent(ground: Ground): Promise<void> {
  const until = sentOrder(ground.place.now() - sentKeptMs);
  const rows = await ground.store.range('seen', 's|', until, { limit: forgetMax });
  if (rows.length === 0) return;
  await ground.write(async (draft) => rows.forEach((row) => draft.remove('seen', row.key)));
}

/** A message that cannot be read: shown as such, and asked for. */
export async function askFor(
  ground: Ground,
  draft: Draft,
  what: { id: string; sender: string; device: string; at: number; show: boolean },
): Promise<void> {
  const known = await draft.get<StoredMessage>('messages', what.id);
  if (known && known.content.t !== 'undecryptable') return;
  if ((await draft.get('seen', `id:${what.id}`)) !== undefined) return;
  if ((await draft.get('seen', `ask:${what.id}`)) !== undefined) return;
  const { id, sender, device, at } = what;
  const ask: AskRecord = { id, sender, device, at, tries: 0, nextAt: 0 };
  draft.put('seen', `ask:${id}`, ask, `ask|${id}`);
  if (!what.show || known || sender === ground.machine.me) return;
  const senderId = sender.slice(1, 37);
  const conversation = `d:${senderId}` as const;
  const record = await ground.conversation(draft, conversation);
  const message: StoredMessage = {
    id,
    conversation,
    senderId,
    senderDevice: device,
    mine: false,
    at: what.at,
    sentAt: what.at,
    content: { t: 'undecryptable', reason: 'It is asked for again' },
    editedAt: null,
    delivery: 'delivered',
    acks: [],
    readBy: [],
    trust: 'known',
    senderUnsigned: false,
    order: arrivedOrder(conversation, what.at, 0, id),
    n: 0,
    seq: null,
    mustAck: false,
  };
  draft.put('messages', id, message, message.order);
  ground.keep(draft, record);
  draft.after(() => ground.emit({ what: 'messages', conversation, ids: [id] }));
}

/** Asks for what is due. */
export async function askDue(ground: Ground, outbox: Outbox): Promise<void> {
  const rows = await ground.store.range<AskRecord>('seen', 'ask|', 'ask}');
  const now = ground.place.now();
  const due = rows.map((row) => row.value).filter((ask) => isDue(ask, now));
  if (due.length === 0) return;
  await ground.write(async (draft) => {
    for (const ask of due.slice(0, asksMax)) await askOnce(ground, draft, outbox, ask, now);
  });
}

/** A clock that was set back must not keep anything waiting. */
const isDue = ({ tries, nextAt }: AskRecord, now: number): boolean =>
  tries < askAfterMs.length && (nextAt <= now || nextAt > now + (askAfterMs.at(-1) ?? 0));

async function askOnce(
  ground: Ground,
  draft: Draft,
  outbox: Outbox,
  ask: AskRecord,
  now: number,
): Promise<void> {
  const { id, sender, device, tries } = ask;
  const message = await draft.get<StoredMessage>('messages', id);
  const known = message && message.content.t !== 'undecryptable';
  if (known || (await draft.get('seen', `id:${id}`)) !== undefined) {
    draft.remove('seen', `ask:${id}`);
    return;
  }
  const nextAt = now + (askAfterMs[tries + 1] ?? 0);
  draft.put('seen', `ask:${id}`, { ...ask, tries: tries + 1, nextAt }, `ask|${id}`);
  // Something over Olm goes first, so that the writer has a session with this device that works.
  outbox.add(draft, {
    job: 'olm',
    id: ground.place.randomUuid(),
    to: sender,
    devices: [device],
    conv: wire(ground, sender),
    content: { t: 'receipt', state: 'delivered', targets: [] },
  });
  outbox.add(draft, {
    job: 'plain',
    id: ground.place.randomUuid(),
    lane: sender,
    type: retryType,
    messages: { [sender]: { [device]: { message_id: id } } },
  });
}

function wire(ground: Ground, user: string): string {
  const [a, b] = [ground.userId, user.slice(1, 37)].sort();
  return `d:${a ?? ''}:${b ?? ''}`;
}

/** Somebody asks. Who it is, is the server's word; so it is sent encrypted to a device that it was meant for. */
export async function answerRetry(
  ground: Ground,
  draft: Draft,
  outbox: Outbox,
  asked: { content: unknown; sender: string; device: string },
): Promise<void> {
  const read = RetryContent.safeParse(asked.content);
  if (!read.success) return;
  const id = read.data.message_id;
  const sent = await draft.get<SentRecord>('seen', `sent:${id}`);
  if (!sent || !mayHave(ground, sent, asked.sender, asked.device)) return;
  const tries = sent.tries[asked.device] ?? 0;
  if (tries >= triesMax) return;
  rememberSent(draft, { ...sent, tries: { ...sent.tries, [asked.device]: tries + 1 } });
  outbox.add(draft, {
    job: 'again',
    id: ground.place.randomUuid(),
    message: id,
    to: asked.sender,
    device: asked.device,
  });
}

function mayHave(ground: Ground, sent: SentRecord, user: string, device: string): boolean {
  const userId = user.slice(1, 37);
  if (sent.devices) return sent.devices[userId]?.includes(device) === true;
  const conv = localConversation(sent.envelope.conv, ground.userId);
  const room = conv && ground.conversations.get(conv)?.room;
  return room?.chain.members.includes(userId) === true;
}

/** A message of a room that comes over Olm is taken only in place of one that could not be read, and of a member. */
export async function isAskedFor(
  ground: Ground,
  draft: Draft,
  envelope: Envelope,
  sender: string,
  device: string,
): Promise<boolean> {
  const message = await draft.get<StoredMessage>('messages', envelope.id);
  const room = message && ground.conversations.get(message.conversation)?.room;
  return (
    room?.ever.includes(sender.slice(1, 37)) === true &&
    message?.content.t === 'undecryptable' &&
    message.conversation === envelope.conv &&
    message.senderId === sender.slice(1, 37) &&
    message.senderDevice === device
  );
}
