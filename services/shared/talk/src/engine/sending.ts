/** Sends the jobs of the outbox, each as its kind is sent, and writes down what came of it. */
import type { z } from 'zod';
import { TalkError } from '../api.ts';
import type { ConversationId, Envelope, FileContent, TalkContent } from '../content.ts';
import { noteSeq } from './chain.ts';
import { noteSentEdit, rankOf } from './changes.ts';
import { sendDirect, sendOlm } from './direct.ts';
import type { Ground } from './ground.ts';
import type { Outbox } from './outbox.ts';
import {
  arrivedOrder,
  wireConversation,
  type Job,
  type OutFile,
  type SentRecord,
  type StoredMessage,
} from './records.ts';
import { forgetPlaintext, rememberSent } from './retries.ts';
import { sendToRoom } from './rooms.ts';
import { saveMessage } from './save.ts';
import type { Draft } from './store.ts';

type MessageJob = Extract<Job, { job: 'message' }>;
type Sent = { at: number; seq: number | null; to: string | null; devices: Record<string, string[]> | null };

/** A message that has files uploads them and stays in the outbox: it goes in its turn then. */
export async function sendJob(ground: Ground, outbox: Outbox, job: Job): Promise<void> {
  switch (job.job) {
    case 'message':
      if (job.file || job.thumbnail) await uploadFiles(ground, outbox, job);
      else await sendMessage(ground, outbox, job);
      return;
    case 'olm':
      await sendOlm(ground, job.id, job.to, job.devices, uncounted(ground, job.id, job.conv, job.content));
      break;
    case 'again':
      await sendAgain(ground, job);
      break;
    case 'plain':
      await ground.place.rest.call('sendToDevice', {
        params: { type: job.type, txn: job.id },
        body: { messages: job.messages },
      });
      break;
    case 'read':
      await ground.place.rest.call('readRoom', { params: { id: job.room }, body: { seq: job.upto } });
  }
  await ground.write(async (draft) => outbox.remove(draft, job.id));
}

/** Of what no conversation counts. */
export const uncounted = (ground: Ground, id: string, conv: string, content: TalkContent): Envelope => ({
  v: 1,
  id,
  conv,
  n: 0,
  at: ground.place.now(),
  content,
});

async function sendAgain(ground: Ground, job: Extract<Job, { job: 'again' }>): Promise<void> {
  const sent = await ground.store.get<SentRecord>('seen', `sent:${job.message}`);
  if (sent) await sendOlm(ground, job.id, job.to, [job.device], sent.envelope);
}

async function sendMessage(ground: Ground, outbox: Outbox, job: MessageJob): Promise<void> {
  const n = job.n ?? (await nextNumber(ground, job.conv));
  const numbered = { ...job, n };
  // Written before it is tried: after a crash it goes out under the number it may have gone out with already.
  if (job.n === null) await ground.write(async (draft) => outbox.put(draft, numbered));
  const envelope: Envelope = {
    v: 1,
    id: job.id,
    conv: wireConversation(job.conv, ground.userId),
    n,
    at: job.at,
    content: numbered.content,
  };
  const sent = await sendOut(ground, numbered, envelope);
  await ground.write(async (draft) => {
    outbox.remove(draft, job.id);
    draft.put('counters', `out:${job.conv}`, n);
    rememberSent(draft, { envelope, to: sent.to, devices: sent.devices, tries: {} });
    if (sent.seq !== null) await noteSent(ground, draft, job.conv, sent.seq);
    const { content: words } = numbered;
    if (words.t === 'edit') await noteSentEdit(draft, { id: job.id, target: words.target, n, at: sent.at });
    const message = await draft.get<StoredMessage>('messages', job.id);
    // Deleted while it was on its way.
    if (message?.content.t === 'deleted') await forgetPlaintext(ground, draft, job.id);
    if (!message) return;
    const place = sent.seq ?? n;
    const delivery = rankOf(message.delivery) > rankOf('sent') ? message.delivery : 'sent';
    const order = arrivedOrder(job.conv, sent.at, place, job.id);
    const content = words.t === 'file' && message.content.t !== 'deleted' ? words : message.content;
    saveMessage(ground, draft, { ...message, content, at: sent.at, n, seq: sent.seq, order, delivery });
    const record = await ground.conversation(draft, job.conv);
    if (sent.at < record.lastAt && record.lastId !== job.id) return;
    ground.keep(draft, { ...record, lastAt: sent.at, lastId: job.id });
  });
}

/** What this device sent into a room does not come to it by the queue. */
async function noteSent(ground: Ground, draft: Draft, conv: ConversationId, seq: number): Promise<void> {
  const record = await ground.conversation(draft, conv);
  if (!record.room) return;
  noteSeq(record.room, seq);
  ground.keep(draft, record);
}

async function sendOut(ground: Ground, job: MessageJob, envelope: Envelope): Promise<Sent> {
  if (job.conv.startsWith('r:')) {
    const { at, seq } = await sendToRoom(ground, job.conv, envelope, !job.quiet);
    return { at, seq, to: null, devices: null };
  }
  const to = ground.userName(job.conv.slice(2));
  const wake = job.quiet ? 'none' : 'message';
  const { at, devices } = await sendDirect(ground, to, envelope, { wake, siblings: true });
  return { at, seq: null, to, devices };
}

async function nextNumber(ground: Ground, conv: string): Promise<number> {
  return ((await ground.store.get<number>('counters', `out:${conv}`)) ?? 0) + 1;
}

/** Puts the files of a message on the server. Each is written down, so that no restart uploads one twice. */
async function uploadFiles(ground: Ground, outbox: Outbox, job: MessageJob): Promise<void> {
  let now = job;
  for (const part of ['file', 'thumbnail'] as const) {
    const file = now[part];
    if (file === undefined) continue;
    if (now.content.t !== 'file') throw new TalkError('refused', 'Only a file has something to upload');
    const ref = await upload(ground, now.conv, file);
    const content: z.infer<typeof FileContent> =
      part === 'file'
        ? { ...now.content, file: ref }
        : {
            ...now.content,
            ...(now.content.thumbnail && { thumbnail: { ...now.content.thumbnail, ...ref } }),
          };
    const { [part]: _done, ...rest } = now;
    const next: MessageJob = { ...rest, content };
    await ground.write(async (draft) => {
      outbox.put(draft, next);
      draft.remove('outbox', file.key);
    });
    now = next;
  }
}

type FileRef = z.infer<typeof FileContent>['file'];

async function upload(ground: Ground, conv: string, file: OutFile): Promise<FileRef> {
  const bytes = await ground.store.bytes('outbox', file.key);
  if (!bytes) throw new TalkError('refused', 'The file is not on this device any more');
  const to = conv.slice(2);
  const query: Record<string, string> = conv.startsWith('r:') ? { room_id: to } : { user_ids: to };
  const { id } = await ground.place.rest.upload(query, bytes);
  return { id, bytes: file.bytes, encrypted: file.encrypted as FileRef['encrypted'] };
}
