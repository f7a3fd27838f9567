import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '@siphera/runtime';
import { startSignaling, tempDir, waitFor, type SignalingService } from '@siphera/testkit';
import { describe, expect, it } from 'vitest';
import { startFeedServer, grant, orgScope } from './testing/feed-server.ts';
import { codeOf, makeGroup, makeTimeBox, roomOf, say, uuid } from './testing/room-kit.ts';
import {
  addUser,
  okOf,
  startTalkRig,
  type RestAnswer,
  type TalkRig,
  type TestDevice,
  type TestUser,
} from './testing/talk-rig.ts';

const bytesOf = (length: number, fill = 7): Buffer => Buffer.alloc(length, fill);
const upload = (
  device: TestDevice,
  query: Record<string, string>,
  bytes = bytesOf(1_000),
): Promise<RestAnswer> => device.user.call('uploadTalkFile', { query, upload: bytes });
const idOf = (answer: RestAnswer): string => (okOf(answer) as { id: string }).id;
const fetchFile = (user: TestUser, id: string): Promise<RestAnswer> =>
  user.call('getTalkFile', { params: { id } });
const filesOf = (dataDir: string): string[] => readdirSync(join(dataDir, 'files'));
const deviceOf = async (rig: TalkRig): Promise<TestDevice> => (await rig.user()).device();
const usedOf = async (user: TestUser): Promise<number> =>
  (okOf(await user.call('getTalkQuota')) as { files_bytes: number }).files_bytes;

describe('a file', () => {
  it('is for who is in the room, or was when it was uploaded, and for nobody else', async () => {
    await using rig = await startTalkRig();
    const [ada, bob, cyd, eve] = [
      await deviceOf(rig),
      await deviceOf(rig),
      await deviceOf(rig),
      await deviceOf(rig),
    ];
    const room = await makeGroup(ada, [bob.user]);
    const bytes = Buffer.concat([bytesOf(70_000, 1), bytesOf(70_000, 2)]);
    const first = idOf(await upload(ada, { room_id: room.id }, bytes));
    expect((await fetchFile(bob.user, first)).body).toEqual(bytes);
    expect((await fetchFile(ada.user, first)).body).toEqual(bytes);
    expect(codeOf(await fetchFile(cyd.user, first))).toBe('not_found');

    const without = roomOf(await say(ada, room, 'remove', [bob.user]));
    const second = idOf(await upload(ada, { room_id: room.id }));
    expect(codeOf(await fetchFile(bob.user, second))).toBe('not_found');
    expect((await fetchFile(bob.user, first)).status).toBe(200);
    await say(ada, without, 'add', [cyd.user]);
    expect((await fetchFile(cyd.user, first)).body).toEqual(bytes);
    expect(codeOf(await fetchFile(eve.user, second))).toBe('not_found');
    expect(codeOf(await fetchFile(eve.user, uuid()))).toBe('not_found');
    expect(codeOf(await upload(eve, { room_id: room.id }))).toBe('not_found');
    expect(codeOf(await upload(bob, { room_id: room.id }))).toBe('not_found');
  });

  it('is for the people who are named, if they may talk, and not for who was disabled', async () => {
    await using rig = await startTalkRig();
    const [ada, bob, eve] = [await deviceOf(rig), await deviceOf(rig), await deviceOf(rig)];
    const viewer = await rig.user({ grants: [grant(orgScope, 'incident.read')] });
    const id = idOf(await upload(ada, { user_ids: `${bob.user.id},${ada.user.id}` }));
    expect((await fetchFile(bob.user, id)).body).toEqual(bytesOf(1_000));
    expect((await fetchFile(ada.user, id)).status).toBe(200);
    expect(codeOf(await fetchFile(eve.user, id))).toBe('not_found');
    const room = await makeGroup(ada, []);
    for (const query of [
      {},
      { user_ids: uuid() },
      { user_ids: viewer.id },
      { user_ids: bob.user.id, room_id: room.id },
    ])
      expect(codeOf(await upload(ada, query as Record<string, string>))).toBe('unprocessable');
    expect(codeOf(await upload(ada, { user_ids: '../../etc/passwd' }))).toBe('validation_failed');
    expect(codeOf(await upload({ ...ada, user: await ada.user.session() }, { user_ids: bob.user.id }))).toBe(
      'forbidden',
    );

    rig.core.putPerson({ ...rig.core.people.get(bob.user.id)!, active: false, grants: [] });
    await waitFor('core’s word', () => rig.signaling.ground.people.get(bob.user.id)?.active === false);
    expect(codeOf(await fetchFile(bob.user, id))).toBe('not_found');
  });

  it('is refused, and says so, when space is used up: of the person, of the box, of the disk', async () => {
    await using rig = await startTalkRig({
      env: { TALK_FILES_PER_USER_BYTES_MAX: '2500', TALK_FILES_BYTES_MAX: '4000' },
    });
    const [ada, bob] = [await deviceOf(rig), await deviceOf(rig)];
    const toBob = { user_ids: bob.user.id };
    const answers = await Promise.all([upload(ada, toBob), upload(ada, toBob), upload(ada, toBob)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 201, 413]);
    expect(answers.map(codeOf)).toContain('quota');
    expect((await ada.user.call('getTalkQuota')).body).toEqual({
      files_bytes: 2_000,
      files_bytes_max: 2_500,
      keep_days: 90,
    });
    const toAda = { user_ids: ada.user.id };
    expect((await upload(bob, toAda)).status).toBe(201);
    expect(codeOf(await upload(bob, toAda, bytesOf(1_001)))).toBe('disk_full');
    expect(filesOf(rig.signaling.ground.config.DATA_DIR)).toHaveLength(3);
    expect(await usedOf(bob.user)).toBe(1_000);

    await using full = await startTalkRig({ env: { TALK_DISK_RESERVE_BYTES: String(2 ** 50) } });
    const cyd = await deviceOf(full);
    expect(codeOf(await upload(cyd, { user_ids: (await full.user()).id }))).toBe('disk_full');
    expect(filesOf(full.signaling.ground.config.DATA_DIR)).toEqual([]);
    expect(await usedOf(cyd.user)).toBe(0);
  });

  it('goes with its time, also when a crash left it half', async () => {
    const box = makeTimeBox();
    await using rig = await startTalkRig(box);
    const [ada, bob] = [await deviceOf(rig), await deviceOf(rig)];
    const { db, config } = rig.signaling.ground;
    const [kept, lost] = [idOf(await upload(ada, { user_ids: bob.user.id })), uuid()];
    db.prepare('UPDATE files SET expires_ms = expires_ms + 86400000 WHERE id = ?').run(kept);
    const old = idOf(await upload(ada, { user_ids: bob.user.id }));
    // Broken off after its row, before its name; a stranger; a row whose content the disk lost.
    const half = uuid();
    const row = `INSERT INTO files (id, org_id, owner_id, bytes, state, created_ms, expires_ms) VALUES (?, 'o', ?, 5, ?, 1, 9e15)`;
    db.prepare(row).run(half, ada.user.id, 'pending');
    db.prepare(row).run(lost, ada.user.id, 'ready');
    for (const name of [`${half}.tmp`, half, uuid()])
      writeFileSync(join(config.DATA_DIR, 'files', name), 'half');
    await rig.restart();
    expect(filesOf(config.DATA_DIR).toSorted()).toEqual([kept, old].toSorted());
    expect(await usedOf(ada.user)).toBe(2_000);
    expect(codeOf(await fetchFile(ada.user, lost))).toBe('not_found');

    box.jump(90 * 24);
    await box.sweep();
    expect(filesOf(config.DATA_DIR)).toHaveLength(2);
    box.pass(6);
    await box.sweep();
    expect(filesOf(config.DATA_DIR)).toEqual([kept]);
    expect(rig.signaling.ground.db.prepare('SELECT id FROM files').pluck().all()).toEqual([kept]);
  });
});

describe('a file of an incident', () => {
  it('stays as long as the talk of the incident does, and goes with it', async () => {
    const box = makeTimeBox();
    await using rig = await startTalkRig(box);
    const { db, config, incidents } = rig.signaling.ground;
    const ada = await deviceOf(rig);
    const id = uuid();
    rig.core.append({ kind: 'incident', id, audience: 'incident.read', scopes: [orgScope] });
    await waitFor('the incident', () => incidents.get(id) !== undefined);
    const room = roomOf(await ada.user.call('getIncidentRoom', { params: { id } }));
    expect(codeOf(await upload(ada, { room_id: room.id }))).toBe('not_found');
    await say(ada, room, 'join');
    await upload(ada, { room_id: room.id });
    db.prepare('UPDATE rooms SET active_ms = active_ms + ? WHERE id = ?').run(30 * 86_400_000, room.id);
    box.pass(100 * 24);
    await box.sweep();
    expect(filesOf(config.DATA_DIR)).toHaveLength(1);
    box.pass(21 * 24);
    await box.sweep();
    expect(filesOf(config.DATA_DIR)).toEqual([]);
  });
});

describe('uploads', () => {
  it('are slowed down when somebody sends far more than people do', async () => {
    await using rig = await startTalkRig();
    const [ada, bob] = [await deviceOf(rig), await rig.user()];
    const codes: number[] = [];
    // The slower this is, the more may come in between.
    for (let n = 0; n < 300 && codes.at(-1) !== 429; n += 1)
      codes.push((await upload(ada, { user_ids: bob.id }, bytesOf(10))).status);
    expect(codes.slice(0, 30)).toEqual(Array.from({ length: 30 }, () => 201));
    expect(codes.at(-1)).toBe(429);
  });
});

describe('a crash while files are uploaded', () => {
  it('leaves no content without a row, no row without its content, and none that was acknowledged is lost', async () => {
    await using dir = await tempDir('talk-crash');
    await using core = await startFeedServer(`unix:${join(dir.path, 'core.sock')}`);
    const start = (): Promise<SignalingService> =>
      startSignaling({ dir: dir.path, internalUrl: core.url, publicOrigins: ['https://box.test'] });
    let service = await start();
    const target = { url: '' };
    const user = await addUser(
      {
        get url() {
          return target.url;
        },
      },
      core,
    );
    target.url = `http://127.0.0.1:${service.port}`;
    await waitFor('the user', async () => (await user.call('listTalkDevices')).status === 200);
    const other = await addUser(
      {
        get url() {
          return target.url;
        },
      },
      core,
    );
    let device: TestDevice | undefined;
    await waitFor('both', async () => {
      device ??= await user.device();
      return (await upload(device, { user_ids: other.id }, bytesOf(10))).status === 201;
    });
    const acknowledged = new Set<string>();
    for (let round = 0; round < 4; round += 1) {
      let isDead = false;
      const uploads = Array.from({ length: 5 }, async () => {
        while (!isDead) {
          const answer = await upload(device!, { user_ids: other.id }, bytesOf(400_000)).catch(
            () => undefined,
          );
          if (answer?.status === 201) acknowledged.add(idOf(answer));
          else if (answer?.status !== 429) return;
        }
      });
      await waitFor('some uploads', () => acknowledged.size > round * 2);
      await service.daemon.kill9();
      isDead = true;
      await Promise.all(uploads);
      service = await start();
      target.url = `http://127.0.0.1:${service.port}`;
      using db = closing(join(service.dataDir, 'signaling.db'));
      const rows = db.it.prepare('SELECT id, bytes, state FROM files').all() as {
        id: string;
        bytes: number;
        state: string;
      }[];
      expect(rows.every(({ state }) => state === 'ready')).toBe(true);
      expect(filesOf(service.dataDir).toSorted()).toEqual(rows.map(({ id }) => id).toSorted());
      for (const { id, bytes } of rows)
        expect(readFileSync(join(service.dataDir, 'files', id))).toEqual(bytesOf(bytes));
      expect([...acknowledged].filter((id) => !rows.some((row) => row.id === id))).toEqual([]);
    }
    await service.daemon.stop();
  });
});

function closing(path: string) {
  const it = openDatabase(path, { readonly: true });
  return { it, [Symbol.dispose]: () => void it.close() };
}
