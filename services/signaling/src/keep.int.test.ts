import { waitFor } from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { codeOf, makeTimeBox, uuid } from './testing/room-kit.ts';
import { okOf, startTalkRig, type RestAnswer, type TalkRig, type TestDevice } from './testing/talk-rig.ts';

const box = makeTimeBox();
let rig: TalkRig;
beforeAll(async () => {
  rig = await startTalkRig(box);
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
});
const deviceOf = async (): Promise<TestDevice> => (await rig.user()).device();
/** A session of the same person that has proved no device. */
const unproven = async (device: TestDevice): Promise<TestDevice> => ({
  ...device,
  user: await device.user.session(),
});

describe('secrets', () => {
  const put = ({ user }: TestDevice, version: number, box: string): Promise<RestAnswer> =>
    user.call('putSecrets', { body: { box, version } });

  it('are replaced only by who knows what stands, by one of two at once, and are each one’s own', async () => {
    const [ada, bob] = [await deviceOf(), await deviceOf()];
    expect(codeOf(await ada.user.call('getSecrets'))).toBe('not_found');
    expect(codeOf(await put(ada, 1, 'too far'))).toBe('conflict');
    expect((await put(ada, 0, 'first')).body).toEqual({ version: 1 });
    const both = await Promise.all([put(ada, 1, 'left'), put(ada, 1, 'right')]);
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    expect(both.find(({ status }) => status === 409)!.body).toMatchObject({ version: 2 });
    expect(codeOf(await put(ada, 0, 'late'))).toBe('conflict');
    expect((await ada.user.call('getSecrets')).body).toMatchObject({ version: 2, box: 'left' });
    expect(codeOf(await bob.user.call('getSecrets'))).toBe('not_found');
    // A new device reads them before it has proved anything; it replaces nothing.
    const thief = await unproven(ada);
    expect((await thief.user.call('getSecrets')).status).toBe(200);
    expect(codeOf(await put(thief, 2, 'stolen'))).toBe('forbidden');
  });
});

describe('the backup of room keys', () => {
  type Rank = { first_message_index?: number; forwarded_count?: number; is_verified?: boolean };
  const key = (mark: string, rank: Rank = {}) => ({
    ...{ first_message_index: 5, forwarded_count: 1, is_verified: false, ...rank },
    session_data: { ciphertext: mark },
  });
  const begin = async ({ user }: TestDevice): Promise<string> => {
    const body = { algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2', auth_data: { public_key: 'k' } };
    return (okOf(await user.call('createBackup', { body })) as { version: string }).version;
  };
  const put = ({ user }: TestDevice, version: string, rooms: Record<string, Record<string, unknown>>) =>
    user.call('putBackupKeys', {
      params: { version },
      body: {
        rooms: Object.fromEntries(Object.entries(rooms).map(([room, sessions]) => [room, { sessions }])),
      },
    });
  const read = async ({ user }: TestDevice, version: string, query = {}): Promise<unknown> =>
    (await user.call('getBackupKeys', { params: { version }, query })).body;
  const markOf = async (device: TestDevice, version: string, session: string): Promise<string> => {
    const { rooms } = (await read(device, version)) as {
      rooms: Record<string, { sessions: Record<string, ReturnType<typeof key>> }>;
    };
    return rooms['!r:o']!.sessions[session]!.session_data.ciphertext;
  };

  it('keeps the better key of each session', async () => {
    const ada = await deviceOf();
    const version = await begin(ada);
    const better: [Rank, Rank][] = [
      [{}, { first_message_index: 4 }],
      [{ forwarded_count: 2 }, { forwarded_count: 1 }],
      [{ first_message_index: 0 }, { is_verified: true, first_message_index: 9 }],
      [{ forwarded_count: 0 }, { first_message_index: 1, forwarded_count: 9 }],
    ];
    for (const [index, [worse, best]] of better.entries()) {
      const [up, down] = [`up${index}`, `down${index}`];
      await put(ada, version, { '!r:o': { [up]: key('worse', worse), [down]: key('best', best) } });
      await put(ada, version, { '!r:o': { [up]: key('best', best), [down]: key('worse', worse) } });
      expect([await markOf(ada, version, up), await markOf(ada, version, down)]).toEqual(['best', 'best']);
    }
    const present = (await ada.user.call('getBackup')).body;
    expect(present).toMatchObject({ version, count: 8, auth_data: { public_key: 'k' } });
    // The same once more changes nothing, and says so by its etag.
    const again = await put(ada, version, { '!r:o': { up0: key('again', { first_message_index: 4 }) } });
    expect(again.body).toEqual({ etag: (present as { etag: string }).etag, count: 8 });
    expect(await markOf(ada, version, 'up0')).toBe('best');
  });

  it('ends when a new one begins, gives keys room by room, and is each one’s own', async () => {
    const [ada, bob] = [await deviceOf(), await deviceOf()];
    const old = await begin(ada);
    await put(ada, old, { '!r:o': { s: key('old') }, '!q:o': { s: key('other') } });
    expect(await read(ada, old, { room_id: '!q:o' })).toEqual({
      rooms: { '!q:o': { sessions: { s: key('other') } } },
    });
    expect(await read(bob, old)).toMatchObject({ code: 'not_found' });
    const next = await begin(ada);
    expect(next).not.toBe(old);
    expect(await put(ada, old, { '!r:o': { t: key('late') } })).toMatchObject({
      status: 409,
      body: { current_version: next },
    });
    expect(await read(ada, old)).toMatchObject({ code: 'not_found' });
    expect(await read(ada, next)).toEqual({ rooms: {} });
    expect((await ada.user.call('getBackup')).body).toMatchObject({ version: next, count: 0 });
    expect(codeOf(await put(await unproven(ada), next, {}))).toBe('forbidden');
  });

  it('that is larger than an answer is read page by page, whole and by room, and nothing is left out', async () => {
    const ada = await deviceOf();
    const version = await begin(ada);
    const sessions = Object.fromEntries(
      Array.from({ length: 240 }, (_, n) => [`s${String(n).padStart(3, '0')}`, key('x'.repeat(7_500))]),
    );
    for (const room of ['!a:o', '!b:o', '!c:o'])
      expect((await put(ada, version, { [room]: sessions })).status).toBe(200);
    type Page = { rooms: Record<string, { sessions: Record<string, object> }>; next?: string };
    const readAll = async (query: Record<string, string>) => {
      const [got, pages]: [string[], number[]] = [[], []];
      for (let after: string | undefined = ''; after !== undefined;) {
        const page = (await read(ada, version, { ...query, ...(after && { after }) })) as Page;
        pages.push(JSON.stringify(page).length);
        for (const [room, { sessions: some }] of Object.entries(page.rooms))
          got.push(...Object.keys(some).map((id) => `${room} ${id}`));
        after = page.next;
      }
      return { got, pages };
    };
    const whole = await readAll({});
    expect(new Set(whole.got).size).toBe(720);
    expect(whole.got).toHaveLength(720);
    expect(whole.pages.length).toBeGreaterThan(1);
    expect(Math.max(...whole.pages)).toBeLessThan(5 * 1024 ** 2);
    expect((await readAll({ room_id: '!b:o' })).got).toEqual(Object.keys(sessions).map((id) => `!b:o ${id}`));
    expect(await read(ada, version, { after: 'nonsense' })).toMatchObject({ code: 'validation_failed' });
  });

  it('takes all keys of a request or none, and holds names that mean something to JavaScript', async () => {
    const ada = await deviceOf();
    const version = await begin(ada);
    for (const bad of [
      { ...key('x'), session_data: 'x' },
      {},
      key('x'.repeat(9_000)),
      key('x', { first_message_index: -1 }),
    ])
      expect(codeOf(await put(ada, version, { '!r:o': { good: key('good'), bad } }))).toBe(
        'validation_failed',
      );
    expect(await read(ada, version)).toEqual({ rooms: {} });
    await put(ada, version, { constructor: { toString: key('fine') } });
    expect(await read(ada, version)).toEqual({
      rooms: { constructor: { sessions: { toString: key('fine') } } },
    });
  });

  it('is refused, and says so, when it grows over its space', async () => {
    const ada = await deviceOf();
    const version = await begin(ada);
    await put(ada, version, { '!r:o': { s: key('kept') } });
    rig.signaling.ground.db
      .prepare('UPDATE backups SET sessions = 100000 WHERE user_id = ?')
      .run(ada.user.id);
    expect(codeOf(await put(ada, version, { '!r:o': { t: key('too much') } }))).toBe('quota');
    expect(
      Object.keys(
        ((await read(ada, version)) as { rooms: Record<string, { sessions: object }> }).rooms['!r:o']!
          .sessions,
      ),
    ).toEqual(['s']);
  });
});

describe('the archive of 1:1 history', () => {
  const put = ({ user }: TestDevice, items: { id: string; box: string }[]): Promise<RestAnswer> =>
    user.call('putArchive', { body: { items } });
  const read = async ({ user }: TestDevice, query: Record<string, string> = {}) => {
    const body = okOf(await user.call('getArchive', { query })) as {
      items: { id: string; seq: number; box: string }[];
      more: boolean;
    };
    return { boxes: body.items.map(({ box }) => box), more: body.more, last: body.items.at(-1)?.seq };
  };

  it('is read on from anywhere, in the order in which it was written; what is replaced comes again at the end', async () => {
    const [ada, bob] = [await deviceOf(), await deviceOf()];
    const [one, two, three] = [uuid(), uuid(), uuid()];
    expect(
      (
        await put(ada, [
          { id: one, box: '1' },
          { id: two, box: '2' },
        ])
      ).body,
    ).toEqual({ upto: 2 });
    expect(await read(ada, { limit: '1' })).toEqual({ boxes: ['1'], more: true, last: 1 });
    expect(
      (
        await put(ada, [
          { id: one, box: '1, edited' },
          { id: three, box: '3' },
        ])
      ).body,
    ).toEqual({ upto: 4 });
    expect(await read(ada, { after: '2' })).toEqual({ boxes: ['1, edited', '3'], more: false, last: 4 });
    expect(await read(ada)).toEqual({ boxes: ['2', '1, edited', '3'], more: false, last: 4 });
    // The same again is nothing new.
    expect((await put(ada, [{ id: three, box: '3' }])).body).toEqual({ upto: 4 });
    expect(await read(bob)).toEqual({ boxes: [], more: false, last: undefined });
    expect(codeOf(await put(await unproven(ada), [{ id: one, box: 'x' }]))).toBe('forbidden');
  });

  it('is answered in bites that fit into memory', async () => {
    const ada = await deviceOf();
    const box = 'x'.repeat(90_000);
    for (let batch = 0; batch < 2; batch += 1)
      await put(
        ada,
        Array.from({ length: 30 }, () => ({ id: uuid(), box })),
      );
    const first = await read(ada, { limit: '500' });
    expect(first.more).toBe(true);
    const rest = await read(ada, { limit: '500', after: String(first.last) });
    expect([first.boxes.length + rest.boxes.length, rest.more]).toEqual([60, false]);
  });

  it('is refused, and says so, when it grows over its space', async () => {
    const ada = await deviceOf();
    const id = uuid();
    await put(ada, [{ id, box: '12345' }]);
    const used = rig.signaling.ground.db.prepare('UPDATE archive_use SET bytes = ? WHERE user_id = ?');
    used.run(200 * 1024 ** 2 - 2, ada.user.id);
    expect(codeOf(await put(ada, [{ id: uuid(), box: '123' }]))).toBe('quota');
    expect(await read(ada)).toMatchObject({ boxes: ['12345'] });
    // Less of it is always taken.
    expect((await put(ada, [{ id, box: '1' }])).status).toBe(200);
  });
});

describe('somebody who was deleted', () => {
  it('leaves nothing that is kept for him alone', async () => {
    const [ada, bob] = [await deviceOf(), await deviceOf()];
    for (const { user } of [ada, bob]) {
      okOf(await user.call('putSecrets', { body: { box: 'box', version: 0 } }));
      okOf(await user.call('createBackup', { body: { algorithm: 'a', auth_data: {} } }));
      const key = { first_message_index: 0, forwarded_count: 0, is_verified: true, session_data: {} };
      const body = { rooms: { '!r:o': { sessions: { s: key } } } };
      okOf(await user.call('putBackupKeys', { params: { version: '1' }, body }));
      okOf(await user.call('putArchive', { body: { items: [{ id: uuid(), box: 'box' }] } }));
    }
    rig.core.append({ kind: 'user', action: 'deleted', id: ada.user.id, audience: 'identity.read' });
    const tables = ['secrets', 'backups', 'backup_keys', 'archive', 'archive_use'];
    const left = (userId: string): number[] =>
      tables.map((table) =>
        Number(
          rig.signaling.ground.db
            .prepare(`SELECT count(*) FROM ${table} WHERE user_id = ?`)
            .pluck()
            .get(userId),
        ),
      );
    await waitFor('the deletion', () => left(ada.user.id)[0] === 0);
    await box.sweep();
    expect(left(ada.user.id)).toEqual([0, 0, 0, 0, 0]);
    expect(left(bob.user.id)).toEqual([1, 1, 1, 1, 1]);
    expect(rig.signaling.ground.db.prepare('SELECT * FROM forgotten_people').all()).toEqual([]);
  });
});
