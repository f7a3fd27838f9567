/** What talk stands on: people and incidents that core told of, what was missed while the service was down, core away. */
import { systemRandom } from '@siphera/runtime';
import { waitFor } from '@siphera/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDevicesPart } from './devices.part.ts';
import type { Ground, Part, Queues } from './ground.ts';
import { orgScope } from './testing/feed-server.ts';
import { okOf, startTalkRig, testOrg, type TalkRig } from './testing/talk-rig.ts';

let rig: TalkRig;
let queues: Queues;
const heard: { kind: string; id: string }[] = [];
const parts = (ground: Ground): Part[] => {
  const devices = createDevicesPart(ground);
  queues = devices.queues;
  const listener: Part = {
    name: 'listener',
    handlers: {},
    onEntries: (entries) => {
      heard.push(...entries.map(({ kind, id }) => ({ kind, id })));
      if (entries.some(({ id }) => id === 'bad')) throw new Error('a part that fails');
    },
    stop: () => undefined,
  };
  return [devices.part, listener];
};
beforeEach(async () => {
  heard.length = 0;
  rig = await startTalkRig({ parts });
});
afterEach(() => rig[Symbol.asyncDispose]());

describe('people', () => {
  it('are read again when core says that they changed, and kept for a start without them', async () => {
    const guard = await rig.user({ name: 'Gil' });
    const person = rig.core.people.get(guard.id)!;
    rig.core.putPerson({ ...person, name: 'Gil Guard' });
    const { people } = rig.signaling.ground;
    await waitFor('the new name', () => people.get(guard.id)?.name === 'Gil Guard');
    expect(people.all(testOrg).map(({ id }) => id)).toEqual([guard.id]);
    expect(people.all(systemRandom.uuid())).toEqual([]);
    rig.core.failPeople(true);
    await rig.restart();
    expect(rig.signaling.ground.people.get(guard.id)?.name).toBe('Gil Guard');
    rig.core.failPeople(false);
    const other = await rig.user();
    expect(rig.signaling.ground.people.get(other.id)).toBeDefined();
  });
});

describe('incidents', () => {
  it('are known by their places, moved, forgotten, and known after a restart', async () => {
    const [id, site] = [systemRandom.uuid(), `site:${systemRandom.uuid()}`];
    const known = () => rig.signaling.ground.incidents.get(id);
    const scopes = [site, orgScope];
    rig.core.append({ kind: 'incident', id, audience: 'incident.read', scopes });
    await waitFor('the incident', known);
    expect(known()).toEqual({ id, orgId: testOrg, scopes });
    rig.core.append({ kind: 'incident', action: 'updated', id, audience: 'incident.read' });
    await waitFor('the move', () => known()?.scopes.length === 1);
    await rig.restart();
    expect(known()?.scopes).toEqual([orgScope]);
    rig.core.append({ kind: 'incident', action: 'deleted', id, audience: 'incident.read' });
    await waitFor('the end', () => known() === undefined);
  });
});

describe('the feed', () => {
  it('of the time in which the service was down is heard: an ended session is no device after it', async () => {
    const guard = await rig.user();
    const device = await guard.device();
    const id = systemRandom.uuid();
    await rig.restart(() => {
      rig.core.revoke({ sid: guard.sid });
      rig.core.append({ kind: 'incident', id, audience: 'incident.read' });
      heard.length = 0;
    });
    expect(heard.filter((entry) => entry.id === id)).toHaveLength(1);
    expect(rig.signaling.ground.incidents.get(id)).toBeDefined();
    const sessions = rig.signaling.ground.db
      .prepare<[string], string>('SELECT sid FROM attachments WHERE device_id = ?')
      .pluck()
      .all(device.id);
    expect(sessions).toEqual([]);
  });

  it('that core keeps no more is gone, and the service starts all the same', async () => {
    const guard = await rig.user();
    await rig.restart(() => {
      rig.core.append({}, {}, {});
      rig.core.forget(rig.core.entries.length - 1);
    });
    expect(rig.log.some((line) => line.includes('talk_feed_missed'))).toBe(true);
    rig.core.forget(-1);
    okOf(await guard.call('listTalkDevices'));
  });

  it('goes on for the others when a part fails at an entry', async () => {
    rig.core.append({ kind: 'incident', id: 'bad', audience: 'incident.read' });
    rig.core.append({ kind: 'incident', id: 'good', audience: 'incident.read' });
    await waitFor('the next', () => heard.some(({ id }) => id === 'good'));
    expect(rig.log.some((line) => line.includes('part_failed'))).toBe(true);
  });
});

describe('events of rooms in a queue', () => {
  it('are read when their turn comes, go in batches by their real size, and are skipped when they are kept no more', async () => {
    const guard = await rig.user();
    const device = await guard.device();
    const [roomId, text] = [systemRandom.uuid(), 'x'.repeat(50_000)];
    const to = { userId: guard.id, deviceId: device.id };
    queues.readRoomEventsBy(({ seq }) =>
      seq === 7
        ? undefined
        : {
            room_id: roomId,
            seq,
            event_id: systemRandom.uuid(),
            sender: guard.talkId,
            sender_device: device.id,
            at: '2026-11-28T23:00:00.000Z',
            content: { text },
          },
    );
    for (let seq = 1; seq <= 30; seq += 1) queues.enqueueRoomEvent(to, { roomId, seq, senderId: guard.id });
    using queue = await device.open();
    await waitFor('all', () => queue.batches.at(-1)?.end === true);
    const seqs = queue.items.flatMap((item) => (item.kind === 'room_event' ? [item.event.seq] : []));
    expect(seqs).toEqual(Array.from({ length: 30 }, (_, n) => n + 1).filter((seq) => seq !== 7));
    expect(queue.batches.length).toBeGreaterThan(2);
    await waitFor(
      'the queue to be empty',
      () =>
        rig.signaling.ground.db
          .prepare<[string], number>('SELECT queue_rows FROM devices WHERE id = ?')
          .pluck()
          .get(device.id) === 0,
    );
  });
});

describe('the key of the service', () => {
  it('that is another than the one of the file stops the start', async () => {
    const guard = await rig.user();
    await guard.device();
    const { config, db, log } = rig.signaling.ground;
    const other = { ...config, SIGNALING_KEY: Buffer.alloc(32, 8) };
    expect(() => createDevicesPart({ ...rig.signaling.ground, config: other, db, log })).toThrow(
      'does not open with SIGNALING_KEY_FILE',
    );
  });
});

describe('a core that is silent', () => {
  it('lets nobody new in, while queues that are open go on', async () => {
    const [alice, bob] = [await rig.user(), await rig.user()];
    const [from, to] = [await alice.device(), await bob.device()];
    using queue = await to.open();
    const body = { messages: { [bob.talkId]: { [to.id]: { n: 1 } } } };
    const params = { type: 'm.test', txn: 'one' };
    await rig.core.close();
    // Ten seconds are not waited for: what is let in is what the feed still vouches for.
    okOf(await alice.call('sendToDevice', { params, body }));
    await waitFor('the message', () => queue.items.length === 1);
    await waitFor(
      'the refusal',
      async () => ((await alice.call('listTalkDevices')).body as { code?: string }).code === 'unavailable',
    );
    expect(queue.socket.connected).toBe(true);
    queues.enqueue(
      { userId: bob.id, deviceId: to.id },
      {
        kind: 'to_device',
        event: { type: 'm.test', sender: alice.talkId, sender_device: from.id, content: { n: 2 } },
      },
    );
    queues.flush([{ userId: bob.id, deviceId: to.id }]);
    await waitFor('what comes meanwhile', () => queue.items.length === 2);
  });
});
