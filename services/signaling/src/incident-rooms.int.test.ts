import { systemClock } from '@siphera/runtime';
import { waitFor } from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grant, orgScope } from './testing/feed-server.ts';
import {
  makeTimeBox,
  chainOf,
  codeOf,
  eventsOf,
  makeGroup,
  roomOf,
  say,
  send,
  uuid,
} from './testing/room-kit.ts';
import { startTalkRig, type TalkRig, type TestDevice, type TestUser } from './testing/talk-rig.ts';

const dayHours = 24;
const dayMs = dayHours * 3_600_000;
const north = `site:${uuid()}`;
const south = `site:${uuid()}`;
const box = makeTimeBox();

let rig: TalkRig;
beforeAll(async () => {
  rig = await startTalkRig(box);
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
});

const guardOf = (...sites: string[]): Promise<TestUser> =>
  rig.user({
    grants: [grant(orgScope, 'talk.use'), ...sites.map((site) => grant(site, 'incident.read'))],
  });
const deviceOf = async (...sites: string[]): Promise<TestDevice> => (await guardOf(...sites)).device();
const tell = (id: string, site = north): void =>
  void rig.core.append({
    kind: 'incident',
    id,
    audience: 'incident.read',
    scopes: [orgScope, site],
    data: { id },
  });
/** An incident on that site, whose room is there. */
const incidentOn = async (site = north): Promise<string> => {
  const id = uuid();
  tell(id, site);
  await waitFor('the incident', () => rig.signaling.ground.incidents.get(id) !== undefined);
  return id;
};
const ask = (user: TestUser, id: string) => user.call('getIncidentRoom', { params: { id } });
const roomsInFile = (): { id: string; incident_id: string | null }[] =>
  rig.signaling.ground.db.prepare('SELECT id, incident_id FROM rooms').all() as never;

describe('the room of an incident', () => {
  it('is one and the same, whoever hears or asks of it first, and has nobody in it', async () => {
    const [ada, bob] = [await guardOf(north), await guardOf(north, south)];
    const id = await incidentOn();
    const rooms = await Promise.all([ask(ada, id), ask(bob, id), ask(ada, id)]);
    tell(id);
    rooms.push(await ask(ada, id));
    expect(new Set(rooms.map((answer) => roomOf(answer).id)).size).toBe(1);
    expect(roomOf(rooms[0])).toMatchObject({
      kind: 'incident',
      incident_id: id,
      member_ids: [],
      statements: [],
    });
    expect(roomsInFile().filter((room) => room.incident_id === id)).toHaveLength(1);
  });

  it('is made on the first ask when the feed told of the incident before there were rooms', async () => {
    const ada = await guardOf(north);
    const id = await incidentOn();
    rig.signaling.ground.db.prepare('DELETE FROM rooms WHERE incident_id = ?').run(id);
    const made = roomOf(await ask(ada, id));
    expect(roomOf(await ada.call('getRoom', { params: { id: made.id } }))).toEqual(made);
  });

  it('is hidden from who may not see the incident, and from nobody who may', async () => {
    const id = await incidentOn(north);
    const room = roomOf(await ask(await guardOf(north), id));
    const stranger = await deviceOf(south);
    for (const answer of [
      await ask(stranger.user, id),
      await stranger.user.call('getRoom', { params: { id: room.id } }),
      await stranger.user.call('listRoomEvents', { params: { id: room.id } }),
      await say(stranger, room, 'join'),
      await say(stranger, room, 'create'),
      await send(stranger, room),
      await ask(stranger.user, uuid()),
    ])
      expect(codeOf(answer)).toBe('not_found');
    const viewer = await rig.user({ grants: [grant(north, 'incident.read')] });
    expect((await ask(viewer, id)).status).toBe(403);
  });

  it('is joined by who sees the incident, read from its opening, and lets members add whom it concerns', async () => {
    const [ada, bob, cyd, stranger] = [
      await deviceOf(north),
      await deviceOf(north),
      await deviceOf(north),
      await deviceOf(south),
    ];
    const empty = roomOf(await ask(ada.user, await incidentOn()));
    expect(codeOf(await send(ada, empty))).toBe('not_found');
    expect(codeOf(await say(ada, empty, 'add', [bob.user]))).toBe('unprocessable');
    const first = roomOf(await say(ada, empty, 'join'));
    expect((await send(ada, first, { text: 'smoke in hall B' })).status).toBe(200);
    const second = roomOf(await say(bob, first, 'join'));
    expect((await eventsOf(bob.user, second)).items.map(({ seq }) => seq)).toEqual([1]);
    expect(codeOf(await say(bob, second, 'add', [stranger.user]))).toBe('unprocessable');
    expect(codeOf(await say(bob, second, 'remove', [ada.user]))).toBe('unprocessable');
    const third = roomOf(await say(bob, second, 'add', [cyd.user]));
    expect(chainOf(third).members).toEqual([ada, bob, cyd].map(({ user }) => user.id));
    expect(codeOf(await say(cyd, third, 'join'))).toBe('already_done');
    const left = roomOf(await say(cyd, third, 'leave'));
    expect(roomOf(await say(cyd, left, 'join')).member_ids).toContain(cyd.user.id);
  });

  it('begins with a list of members too, when who comes first names them', async () => {
    const [ada, bob] = [await deviceOf(north), await deviceOf(north)];
    const empty = roomOf(await ask(ada.user, await incidentOn()));
    const made = roomOf(await say(ada, empty, 'create', [bob.user]));
    expect(chainOf(made).members).toEqual([ada.user.id, bob.user.id]);
    expect(codeOf(await say(bob, made, 'create'))).toBe('unprocessable');
  });

  it('gives nothing more to who lost sight of the incident, because he or it moved', async () => {
    const [ada, bob] = [await deviceOf(north, south), await deviceOf(north)];
    using adas = await ada.open();
    const told = () =>
      adas.items.flatMap((item) => (item.kind === 'room' ? [item.room.member_ids.length] : []));
    const id = await incidentOn();
    const empty = roomOf(await ask(ada.user, id));
    const one = roomOf(await say(ada, empty, 'join'));
    const two = roomOf(await say(bob, one, 'join'));
    await waitFor('two members', () => told().length === 2);
    using bobs = await bob.open();

    const person = rig.core.people.get(bob.user.id)!;
    rig.core.putPerson({ ...person, grants: [grant(orgScope, 'talk.use'), grant(south, 'incident.read')] });
    await waitFor('one member', () => told().length === 3);
    // The old token says yes still; core's word counts.
    expect(codeOf(await ask(bob.user, id))).toBe('not_found');
    expect(codeOf(await send(bob, two))).toBe('not_found');
    await send(ada, two, { text: 'not for him' });
    tell(id, south);
    await waitFor('two members again', () => told().length === 4);
    await send(ada, two, { text: 'for him' });
    await waitFor('his message', () => bobs.items.some(({ kind }) => kind === 'room_event'));
    const texts = bobs.items.flatMap((item) =>
      item.kind === 'room_event' ? [item.event.content['ciphertext']] : [],
    );
    expect(texts).toEqual(['for him']);
    expect(told()).toEqual([1, 2, 1, 2]);
    // His token was made for the north: by itself it is not enough either.
    expect(codeOf(await ask(bob.user, id))).toBe('not_found');
  });
});

describe('what is kept', () => {
  it('of a group goes by its age; of an incident all of it, some time after the last of it', async () => {
    const { db } = rig.signaling.ground;
    const [ada] = [await deviceOf(north)];
    const count = (room: { id: string }): unknown =>
      rig.signaling.ground.db
        .prepare('SELECT count(*) FROM room_events WHERE room_id = ?')
        .pluck()
        .get(room.id);
    const group = await makeGroup(ada, []);
    const [over, open] = [await incidentOn(), await incidentOn()];
    const talked = async (incident: string) => {
      const room = roomOf(await say(ada, roomOf(await ask(ada.user, incident)), 'join'));
      await send(ada, room);
      return room;
    };
    const [overs, opens] = [await talked(over), await talked(open)];
    for (let n = 0; n < 3; n += 1) await send(ada, group);
    const [start, never] = [systemClock.now(), await incidentOn()];
    db.prepare('UPDATE room_events SET at_ms = ? WHERE room_id = ? AND seq = 3').run(
      start + 60 * dayMs,
      group.id,
    );
    db.prepare('UPDATE rooms SET active_ms = ? WHERE id = ?').run(start + 60 * dayMs, opens.id);

    // A clock that jumps ahead makes nothing old before it has run evenly for hours.
    box.jump(200 * dayHours);
    await box.sweep();
    box.pass(5);
    await box.sweep();
    box.jump(-200 * dayHours);
    expect([count(overs), count(opens), count(group)]).toEqual([1, 1, 3]);

    await box.sweep();
    box.pass(91 * dayHours);
    await box.sweep();
    expect([count(overs), count(opens), count(group)]).toEqual([0, 1, 1]);
    const left = roomsInFile();
    expect(left.map(({ id }) => id)).toEqual(expect.arrayContaining([group.id, opens.id]));
    const gone = [overs.incident_id, never];
    expect(left.some(({ incident_id }) => gone.includes(incident_id))).toBe(false);

    box.pass(60 * dayHours);
    await box.sweep();
    expect([count(opens), count(group)]).toEqual([0, 0]);
    // A group that has members stays, however long nobody writes.
    const ids = roomsInFile().map(({ id }) => id);
    expect([ids.includes(group.id), ids.includes(opens.id)]).toEqual([true, false]);
  });
});
