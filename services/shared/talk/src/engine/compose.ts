/** What a person does becomes a job of the outbox and, where it shows, a message, in one write. */
import { talkLimits } from '@siphera/contract';
import { TalkError, type CallRecord, type Draft as Written } from '../api.ts';
import { Envelope, TalkContent, type ConversationId } from '../content.ts';
import { encryptFile } from '../side/index.ts';
import { callRowId, isBetterCall } from './call-rows.ts';
import { applyAck, applyDelete, applyEdit } from './changes.ts';
import { requireRoom } from './chain.ts';
import type { Ground } from './ground.ts';
import { putMessage } from './inbox.ts';
import type { Outbox } from './outbox.ts';
import { arrivedOrder, waitingOrder, type Change, type OutFile, type StoredMessage } from './records.ts';
import { saveMessage } from './save.ts';
import type { Draft } from './store.ts';

/** Ids in one receipt, as its schema has it. */
const receiptIdsMax = 200;

type Shown = Extract<StoredMessage['content'], { t: 'text' | 'file' }>;

function requireConversation(ground: Ground, conv: ConversationId): void {
  if (conv.startsWith('r:')) requireRoom(ground, conv);
  else if (conv.slice(2) === ground.userId)
    throw new TalkError('refused', 'This is a conversation with oneself');
}

/** @throws TalkError `not_member`, `too_large`, `refused` */
export async function compose(
  ground: Ground,
  outbox: Outbox,
  conv: ConversationId,
  written: Written,
): Promise<string> {
  requireConversation(ground, conv);
  const id = written.id ?? ground.place.randomUuid();
  if (!Envelope.shape.id.safeParse(id).success)
    throw new TalkError('refused', 'A message is named by a UUID');
  const files = written.file ? await seal(id, written.file) : undefined;
  const content = shown(written, files);
  await ground.write(async (draft) => {
    // Asked again, because the answer of the first time was lost with the tab that had it.
    if (await draft.get('messages', id)) return;
    for (const { out, bytes } of files?.parts ?? []) draft.putBytes('outbox', out.key, bytes);
    const seq = outbox.add(draft, {
      job: 'message',
      id,
      conv,
      content,
      at: ground.place.now(),
      n: null,
      quiet: false,
      ...(files && { file: files.file }),
      ...(files?.thumbnail && { thumbnail: files.thumbnail }),
    });
    const record = await ground.conversation(draft, conv);
    await putMessage(ground, draft, record, waitingMessage(ground, id, conv, content, seq), false);
  });
  return id;
}

function shown(written: Written, files: Sealed | undefined): Shown {
  const { body, replyTo, mentions, links, mustAck, file } = written;
  if (body.length > talkLimits.textCharsMax) throw new TalkError('too_large', 'The message is too long');
  const common = {
    ...(replyTo !== undefined && { reply_to: replyTo }),
    ...(mustAck === true && { must_ack: true }),
  };
  const raw =
    file && files
      ? {
          t: 'file',
          name: file.name.slice(0, 200),
          media_type: (file.blob.type || 'application/octet-stream').slice(0, 120),
          file: placeholder(files.file),
          ...(file.thumbnail &&
            files.thumbnail && {
              thumbnail: {
                ...placeholder(files.thumbnail),
                width: file.thumbnail.width,
                height: file.thumbnail.height,
              },
            }),
          ...(file.voice && {
            voice: { duration_ms: file.voice.durationMs, wave: file.voice.wave.slice(0, 64) },
          }),
          ...(body !== '' && { body }),
          ...common,
        }
      : {
          t: 'text',
          body,
          ...(mentions && { mentions }),
          ...(links && { links }),
          ...common,
        };
  const read = TalkContent.safeParse(raw);
  if (!read.success || (read.data.t !== 'text' && read.data.t !== 'file'))
    throw new TalkError('refused', 'The message is not one that can be sent');
  return read.data;
}

/** Of a file that is not on the server yet. */
const noFile = '00000000-0000-4000-8000-000000000000';
const placeholder = (file: OutFile): object => ({ id: noFile, bytes: file.bytes, encrypted: file.encrypted });

type Sealed = { file: OutFile; thumbnail?: OutFile; parts: { out: OutFile; bytes: Uint8Array }[] };

async function seal(id: string, file: NonNullable<Written['file']>): Promise<Sealed> {
  const one = async (blob: Blob, part: string): Promise<{ out: OutFile; bytes: Uint8Array }> => {
    const { ciphertext, encrypted } = await encryptFile(new Uint8Array(await blob.arrayBuffer()));
    return { out: { key: `f:${id}:${part}`, bytes: blob.size, encrypted }, bytes: ciphertext };
  };
  const whole = await one(file.blob, 'file');
  const small = file.thumbnail && (await one(file.thumbnail.blob, 'thumbnail'));
  return {
    file: whole.out,
    ...(small && { thumbnail: small.out }),
    parts: small ? [whole, small] : [whole],
  };
}

function waitingMessage(
  ground: Ground,
  id: string,
  conv: ConversationId,
  content: StoredMessage['content'],
  seq: number,
): StoredMessage {
  const at = ground.place.now();
  return {
    id,
    conversation: conv,
    senderId: ground.userId,
    senderDevice: ground.deviceId,
    mine: true,
    at,
    sentAt: at,
    content,
    editedAt: null,
    delivery: 'waiting',
    acks: [],
    readBy: [],
    trust: 'verified',
    senderUnsigned: false,
    order: waitingOrder(conv, seq, id),
    n: 0,
    seq: null,
    mustAck: 'must_ack' in content && content.must_ack === true,
  };
}

async function messageOf(draft: Draft, id: string): Promise<StoredMessage> {
  const message = await draft.get<StoredMessage>('messages', id);
  if (!message) throw new TalkError('refused', 'There is no such message');
  return message;
}

/** @throws TalkError `refused` for what is not mine, or no text */
export async function edit(
  ground: Ground,
  outbox: Outbox,
  id: string,
  body: string,
  mentions?: string[],
): Promise<void> {
  if (body.length > talkLimits.textCharsMax) throw new TalkError('too_large', 'The message is too long');
  await ground.write(async (draft) => {
    const message = await messageOf(draft, id);
    const record = await ground.conversation(draft, message.conversation);
    if (!message.mine || (message.content.t !== 'text' && message.content.t !== 'file'))
      throw new TalkError('refused', 'Only own messages can be edited');
    const content = { t: 'edit' as const, target: id, body, ...(mentions && { mentions }) };
    const job = addQuiet(ground, draft, outbox, message.conversation, content);
    await applyEdit(ground, draft, record, own(ground, content, job));
  });
}

/** @throws TalkError `refused` for what is not mine */
export async function remove(ground: Ground, outbox: Outbox, id: string): Promise<void> {
  await ground.write(async (draft) => {
    const message = await messageOf(draft, id);
    if (!message.mine || message.content.t === 'event')
      throw new TalkError('refused', 'Only own messages can be deleted');
    const job = outbox.job(id);
    const record = await ground.conversation(draft, message.conversation);
    const content = { t: 'delete' as const, target: id };
    await applyDelete(ground, draft, record, own(ground, content, ground.place.randomUuid()));
    // What was given up has reached nobody; anything else may have, whatever this device has heard of it.
    if (job?.failed !== undefined) outbox.remove(draft, id);
    else addQuiet(ground, draft, outbox, message.conversation, content);
  });
}

export async function acknowledge(ground: Ground, outbox: Outbox, id: string): Promise<void> {
  await ground.write(async (draft) => {
    const message = await messageOf(draft, id);
    if (!message.mustAck || message.mine) throw new TalkError('refused', 'It asks for no acknowledgement');
    if (message.acks.some((ack) => ack.userId === ground.userId)) return;
    const record = await ground.conversation(draft, message.conversation);
    const content = { t: 'ack' as const, target: id, ...(message.edited && { of: message.edited.id }) };
    const job = addQuiet(ground, draft, outbox, message.conversation, content);
    await applyAck(ground, draft, record, own(ground, content, job));
  });
}

const own = (ground: Ground, content: TalkContent, id: string): Change => ({
  id,
  content,
  senderId: ground.userId,
  device: ground.deviceId,
  n: null,
  at: ground.place.now(),
});

/** Counted and ordered like a message, but wakes nobody. It is done here already, so not again when a room's history brings it. */
export function addQuiet(
  ground: Ground,
  draft: Draft,
  outbox: Outbox,
  conv: ConversationId,
  content: TalkContent,
): string {
  const id = ground.place.randomUuid();
  outbox.add(draft, { job: 'message', id, conv, content, at: ground.place.now(), n: null, quiet: true });
  draft.put('seen', `id:${id}`, 1);
  return id;
}

/** What was given up is tried anew, at the end of what waits. */
export async function retry(ground: Ground, outbox: Outbox, id: string): Promise<void> {
  await ground.write(async (draft) => {
    const job = outbox.job(id);
    if (job?.failed === undefined) return;
    const seq = outbox.again(draft, job);
    const message = await messageOf(draft, id);
    const order = waitingOrder(message.conversation, seq, id);
    saveMessage(ground, draft, { ...message, delivery: 'waiting', order });
  });
}

/** Everything in a conversation is read: told to who wrote it, and to my other devices. */
export async function markRead(ground: Ground, outbox: Outbox, conv: ConversationId): Promise<void> {
  await ground.write(async (draft) => {
    const record = await ground.conversation(draft, conv);
    if (record.unread.length === 0) return;
    const { room, unread } = record;
    if (room) {
      const upto = Math.max(room.lastSeq, ...unread.map((one) => one.seq ?? 0));
      room.reads[ground.userId] = Math.max(room.reads[ground.userId] ?? 0, upto);
      outbox.add(draft, { job: 'read', id: ground.place.randomUuid(), room: room.roomId, upto });
    } else
      for (let at = 0; at < unread.length; at += receiptIdsMax)
        for (const to of [ground.userName(conv.slice(2)), ground.machine.me])
          outbox.add(draft, {
            job: 'olm',
            id: ground.place.randomUuid(),
            to,
            devices: null,
            conv: wireOf(ground, conv),
            content: {
              t: 'receipt',
              state: 'read',
              targets: unread.slice(at, at + receiptIdsMax).map((one) => one.id),
            },
          });
    record.unread = [];
    ground.keep(draft, record);
  });
}

function wireOf(ground: Ground, conv: ConversationId): string {
  const [a, b] = [ground.userId, conv.slice(2)].sort();
  return `d:${a ?? ''}:${b ?? ''}`;
}

/** A call that was: a line in the conversation of this device (and in the archive), unless one that knows more of it is there. */
export async function recordCall(ground: Ground, userId: string, call: CallRecord): Promise<void> {
  const conv: ConversationId = `d:${userId}`;
  await ground.write(async (draft) => {
    const record = await ground.conversation(draft, conv);
    const base = waitingMessage(
      ground,
      callRowId(call.callId),
      conv,
      { t: 'event', what: 'call', userIds: [userId], text: '', call },
      0,
    );
    const mine = call.direction === 'out';
    const at = call.startedAt;
    const order = arrivedOrder(conv, at, 0, base.id);
    const message = {
      ...base,
      mine,
      senderId: mine ? ground.userId : userId,
      at,
      order,
      delivery: 'sent' as const,
    };
    if (!isBetterCall(message, await draft.get<StoredMessage>('messages', base.id))) return;
    await putMessage(ground, draft, record, message, false);
  });
}
