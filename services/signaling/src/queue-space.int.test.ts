/** What is sent to devices takes of the disk: only so much of it, so much by one session, so much in all queues together. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { queueLimits } from './domain/queue.ts';
import { codeOf, makeTimeBox, uuid } from './testing/room-kit.ts';
import { okOf, startTalkRig, type RestAnswer, type TalkRig, type TestDevice } from './testing/talk-rig.ts';

const box = makeTimeBox();
let rig: TalkRig;
beforeAll(async () => {
  rig = await startTalkRig(box);
});
afterAll(() => rig[Symbol.asyncDispose]());

/** Hours: what is added up once a second is added up anew. */
const aMoment = 2 / 3_600;
const pair = async (on: TalkRig): Promise<[TestDevice, TestDevice]> => [
  await (await on.user()).device(),
  await (await on.user()).device(),
];
const toDevice = (from: TestDevice, to: TestDevice, content: object = {}): Promise<RestAnswer> =>
  from.user.call('sendToDevice', {
    params: { type: 'm.test', txn: uuid() },
    body: { messages: { [to.user.talkId]: { [to.id]: content } } },
  });
const direct = (from: TestDevice, to: TestDevice): Promise<RestAnswer> => {
  const messages = { [to.user.talkId]: { [to.id]: {} } };
  return from.user.call('sendDirect', { body: { message_id: uuid(), to: to.user.talkId, messages } });
};
const key = { first_message_index: 0, forwarded_count: 0, is_verified: true, session_data: {} };
const backUp = async ({ user }: TestDevice, session: object): Promise<RestAnswer> => {
  const body = { algorithm: 'a', auth_data: {} };
  const { version } = okOf(await user.call('createBackup', { body })) as { version: string };
  const sessions = { s: session };
  return user.call('putBackupKeys', { params: { version }, body: { rooms: { r: { sessions } } } });
};

describe('messages to devices and keys for the backup', () => {
  it('are refused when the disk is almost full: what is left is for alarms', async () => {
    const reserve = String(Number.MAX_SAFE_INTEGER);
    await using full = await startTalkRig({ env: { TALK_DISK_RESERVE_BYTES: reserve } });
    const [alice, bob] = await pair(full);
    for (const answer of [await toDevice(alice, bob), await direct(alice, bob), await backUp(alice, key)])
      expect(codeOf(answer)).toBe('disk_full');
    using queue = await bob.open();
    expect(queue.items).toEqual([]);
  });

  it('are only so many bytes of one session in a short time', async () => {
    const [alice, bob] = await pair(rig);
    const large = { text: 'x'.repeat(60_000) };
    const letters = Array.from({ length: 26 }, (_, n) => String.fromCodePoint(65 + n));
    const messages = Object.fromEntries(letters.map((letter) => [`${letter}BCDEFGHIJ`, large]));
    const call = (): Promise<RestAnswer> =>
      alice.user.call('sendToDevice', {
        params: { type: 'm.test', txn: uuid() },
        body: { messages: { [bob.user.talkId]: messages } },
      });
    const answers: RestAnswer[] = [];
    for (let n = 0; n < 90 && answers.at(-1)?.status !== 429; n += 1) answers.push(await call());
    expect(answers.length).toBeGreaterThan(30);
    expect(answers.at(-1)).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
    // What is left is too little for another like it, but not for a small one.
    expect(codeOf(await toDevice(alice, bob))).toBeUndefined();
  });

  it('are refused when all queues together hold too much, and taken when there is space again', async () => {
    const [alice, bob] = await pair(rig);
    const drawer = await (await bob.user.session()).device();
    const hold = rig.signaling.ground.db.prepare('UPDATE devices SET queue_bytes = ? WHERE id = ?');
    hold.run(queueLimits.totalBytesMax, drawer.id);
    box.pass(aMoment);
    expect(codeOf(await toDevice(alice, bob))).toBe('disk_full');
    hold.run(0, drawer.id);
    box.pass(aMoment);
    expect((await toDevice(alice, bob)).status).toBe(200);
  });
});
