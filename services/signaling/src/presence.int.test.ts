/** Who is there, on duty, not to be disturbed: as people read it and as they are told. */
import { InternalDuty, internalPaths, TalkPerson, type Presence } from '@siphera/contract';
import { systemRandom } from '@siphera/runtime';
import { waitFor } from '@siphera/testkit';
import { describe, expect, it } from 'vitest';
import { startPushRig } from './testing/push-rig.ts';
import { okOf, type TestQueue, type TestUser } from './testing/talk-rig.ts';

const peopleSeen = async (user: TestUser): Promise<TalkPerson[]> =>
  (okOf(await user.call('listPeople')) as { items: unknown[] }).items.map((item) => TalkPerson.parse(item));
const presenceOf = async (user: TestUser, id = user.id): Promise<Presence | undefined> =>
  (await peopleSeen(user)).find((person) => person.id === id)?.presence;
const set = async (user: TestUser, body: Record<string, unknown>): Promise<Presence> =>
  okOf(await user.call('setPresence', { body })) as Presence;
const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();

/** All that a socket is told, as one list. */
function told(queue: TestQueue): Presence[] {
  const seen: Presence[] = [];
  queue.socket.on('presence', (changed) => seen.push(...changed));
  return seen;
}

describe('the list of people', () => {
  it('names everybody of the organisation who can sign in, with roles, sites, and whether he can be written to', async () => {
    await using rig = await startPushRig();
    const site = systemRandom.uuid();
    const [reader, writer, gone] = [
      await rig.talk.user({ name: 'Rita Reader', siteIds: [site] }),
      await rig.talk.user({ name: 'Will Writer' }),
      await rig.talk.user({ name: 'Gus Gone' }),
    ];
    await writer.device();
    const person = rig.talk.core.people.get(gone.id)!;
    rig.talk.core.putPerson({ ...person, active: false });
    rig.talk.core.putPerson({
      ...person,
      id: systemRandom.uuid(),
      org_id: systemRandom.uuid(),
      name: 'Other Org',
    });
    await waitFor('the leaving to be known', async () => (await peopleSeen(reader)).length === 2);
    expect(await peopleSeen(reader)).toMatchObject([
      { name: 'Rita Reader', site_ids: [site], has_talk: false, roles: [{ role: 'guard' }] },
      { name: 'Will Writer', has_talk: true, presence: { online: false, on_duty: false, duty_since: null } },
    ]);
  });

  it('shows who is online by his sockets', async () => {
    await using rig = await startPushRig();
    const [user, other] = [await rig.talk.user(), await rig.talk.user()];
    {
      using _console = await other.connect();
      expect((await presenceOf(user, other.id))?.online).toBe(true);
    }
    await waitFor('the end', async () => (await presenceOf(user, other.id))?.online === false);
  });
});

describe('duty', () => {
  it('is what the person says: it outlives a sign-out and a restart, and begins once', async () => {
    await using rig = await startPushRig();
    const [user, other] = [await rig.talk.user(), await rig.talk.user()];
    const began = await set(user, { on_duty: true });
    expect(began).toMatchObject({ user_id: user.id, on_duty: true });
    rig.advance(60_000);
    expect((await set(user, { on_duty: true })).duty_since).toBe(began.duty_since);
    rig.talk.core.revoke({ sid: user.sid });
    await rig.talk.restart();
    expect(await presenceOf(other, user.id)).toEqual(began);
    const again = await user.session();
    expect(await set(again, { on_duty: false })).toMatchObject({ on_duty: false, duty_since: null });
    expect(Date.parse((await set(again, { on_duty: true })).duty_since ?? '')).toBeGreaterThan(
      Date.parse(began.duty_since ?? ''),
    );
  });

  it('ends with the person: who comes back says it anew', async () => {
    await using rig = await startPushRig();
    const [user, other] = [await rig.guard(), await rig.talk.user()];
    const person = rig.talk.core.people.get(user.id)!;
    rig.talk.core.putPerson({ ...person, active: false });
    await waitFor('the leaving', async () => (await presenceOf(other, user.id)) === undefined);
    rig.talk.core.putPerson(person);
    const back = await waitFor('the coming back', () => presenceOf(other, user.id));
    expect(back.on_duty).toBe(false);
  });
});

describe('core', () => {
  it('is told of each change of duty, and after a start of all who are on duty', async () => {
    await using rig = await startPushRig();
    const [user, other] = [await rig.guard(), await rig.guard()];
    const heard = () =>
      rig.talk.core.calls
        .filter(({ path }) => path === internalPaths.duty)
        .map(({ body }) => InternalDuty.parse(body));
    const list = (count: number) =>
      waitFor('core to hear it', () => (heard().length >= count ? heard() : undefined));
    for (const duty of [false, true, true]) await set(user, { on_duty: duty });
    await set(user, { dnd_until: inMs(60_000) });
    const before = await list(4);
    expect(before.map(({ user_id, on_duty }) => [user_id, on_duty])).toEqual([
      [user.id, true],
      [other.id, true],
      [user.id, false],
      [user.id, true],
    ]);
    const person = rig.talk.core.people.get(other.id)!;
    rig.talk.core.putPerson({ ...person, active: false });
    expect((await list(5))[4]).toMatchObject({ user_id: other.id, on_duty: false });
    await rig.talk.restart();
    expect((await list(6))[5]).toEqual(before[3]);
  });
});

describe('do not disturb', () => {
  it('ends by itself, and says so', async () => {
    await using rig = await startPushRig();
    const [user, other] = [await rig.talk.user(), await rig.talk.user()];
    using queue = await (await other.device()).open();
    const seen = told(queue);
    const until = inMs(60_000);
    expect(await set(user, { dnd_until: until })).toMatchObject({ dnd_until: until, on_duty: false });
    await waitFor('the word', () => seen.some((one) => one.user_id === user.id && one.dnd_until === until));
    rig.advance(61_000);
    await waitFor('the end', () => seen.at(-1)?.user_id === user.id && seen.at(-1)?.dnd_until === null);
    expect((await presenceOf(other, user.id))?.dnd_until).toBeNull();
  });

  it('is not set for what is over, nor for more than a week', async () => {
    await using rig = await startPushRig();
    const user = await rig.talk.user();
    expect((await set(user, { dnd_until: inMs(-1_000) })).dnd_until).toBeNull();
    const long = { dnd_until: inMs(8 * 86_400_000) };
    expect((await user.call('setPresence', { body: long })).status).toBe(422);
  });
});

describe('an open queue', () => {
  it('is told of all on opening, then of what changed, and of nobody else', async () => {
    await using rig = await startPushRig();
    const [watcher, changer] = [await rig.talk.user(), await rig.talk.user()];
    const device = await watcher.device();
    const other = rig.talk.core.people.get(changer.id)!;
    rig.talk.core.putPerson({ ...other, id: systemRandom.uuid(), org_id: systemRandom.uuid() });
    using silent = await watcher.connect();
    const seen: Presence[][] = [];
    silent.socket.on('presence', (changed) => seen.push(changed));
    const opened = await silent.socket.timeout(30_000).emitWithAck('talkOpen', { device_id: device.id });
    expect(opened.ok).toBe(true);
    await waitFor('all', () => seen.length > 0);
    expect(seen[0]?.map(({ user_id: id }) => id).sort()).toEqual([watcher.id, changer.id].sort());
    await set(changer, { on_duty: true });
    const change = await waitFor('the change', () => seen.flat().find((one) => one.on_duty));
    expect(change.user_id).toBe(changer.id);
  });

  it('alone is told: a socket without one hears nothing', async () => {
    await using rig = await startPushRig();
    const [watcher, changer] = [await rig.talk.user(), await rig.talk.user()];
    using deaf = await watcher.connect();
    const heard: unknown[] = [];
    deaf.socket.on('presence', (changed) => heard.push(changed));
    using queue = await (await changer.device()).open();
    const seen = told(queue);
    await set(changer, { on_duty: true });
    await waitFor('the change', () => seen.some((one) => one.on_duty));
    expect(heard).toEqual([]);
  });
});
