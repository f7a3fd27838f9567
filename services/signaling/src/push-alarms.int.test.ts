/** Alarms on phones, over real encryption to a push service for tests. */
import type { Incident } from '@siphera/contract';
import { systemClock, systemRandom, toRfc3339 } from '@siphera/runtime';
import { waitFor } from '@siphera/testkit';
import { describe, expect, it } from 'vitest';
import { grant, orgScope } from './testing/feed-server.ts';
import { pushOf, startPushRig, type PushRig } from './testing/push-rig.ts';

const settled = (rig: PushRig, phone: string, user: Parameters<PushRig['listed']>[0], error: RegExp) =>
  waitFor('the error on the phone', async () => {
    const listed = await rig.listed(user, phone);
    return error.test(listed?.last_error ?? '') ? listed : undefined;
  });

describe('an alarm', () => {
  it('carries severity and place inside the encryption, and outside of it tells nothing', async () => {
    await using rig = await startPushRig();
    const phone = await rig.phone(await rig.guard());
    const incident = rig.incident({ title: 'Fire in the battery store', severity: 'critical' });
    const push = await pushOf(phone);
    expect(push.payload).toMatchObject({
      kind: 'alarm',
      incident_id: incident.id,
      number: incident.number,
      title: 'Fire in the battery store',
      severity: 'critical',
      place: 'Loading yard · Gate 3',
      opened_at: incident.opened_at,
    });
    const outside = `${push.path} ${JSON.stringify(push.headers)} ${push.body.toString('latin1')}`;
    for (const secret of [
      incident.id,
      String(incident.number),
      'Fire',
      'critical',
      'Loading',
      'Gate 3',
      'alarm',
    ])
      expect(outside).not.toContain(secret);
    expect(outside).not.toContain(String(push.payload['receipt']));
    expect(push.headers).toMatchObject({ urgency: 'high', ttl: '3600' });
    expect(push.headers['topic']).toMatch(/^[\w-]{32}$/);
    expect(push.claims.sub).toBe('https://box.test');
    expect(rig.push.faults).toEqual([]);
    expect(rig.talk.log.join('')).not.toContain(phone.subscription.endpoint);
  });

  it('of a test says so in its title', async () => {
    await using rig = await startPushRig();
    const phone = await rig.phone(await rig.guard());
    rig.incident({ test: true });
    expect((await pushOf(phone)).payload['title']).toBe('Test: Door forced');
  });

  it('is left to an open console first, and rings nobody when it is acknowledged there in time', async () => {
    await using rig = await startPushRig();
    const [desk, away] = [await rig.guard({ name: 'Dee Desk' }), await rig.guard({ name: 'Ann Away' })];
    using _console = await desk.connect();
    const [deskPhone, awayPhone] = [await rig.phone(desk), await rig.phone(away)];
    const first = rig.incident();
    await pushOf(awayPhone);
    expect(deskPhone.received).toEqual([]);
    rig.incident({ ...first, state: 'acknowledged' });
    // Phones that have it are told; the one that never got it is not.
    expect((await pushOf(awayPhone, 2)).payload).toMatchObject({ kind: 'cleared', incident_id: first.id });
    const second = rig.incident();
    await pushOf(awayPhone, 3);
    rig.advance(10_000);
    const pushed = await pushOf(deskPhone);
    expect(pushed.payload['incident_id']).toBe(second.id);
    expect(deskPhone.received).toHaveLength(1);
  });

  it('goes to nobody who is off duty, or may not see the incident: neither at once nor by the time it is due', async () => {
    await using rig = await startPushRig();
    const site = `site:${systemRandom.uuid()}`;
    const elsewhere = [grant(`site:${systemRandom.uuid()}`, 'talk.use', 'incident.read')];
    const here = [grant(site, 'talk.use', 'incident.read')];
    const [stranger, off, moved, inside] = [
      await rig.guard({ grants: elsewhere }),
      await rig.talk.user({ grants: here }),
      await rig.guard({ grants: here }),
      await rig.guard({ grants: here }),
    ];
    using _console = await moved.connect();
    const phones = await Promise.all([stranger, off, moved, inside].map((user) => rig.phone(user)));
    rig.incident({}, [orgScope, site]);
    await pushOf(phones[3]!);
    const person = rig.talk.core.people.get(moved.id)!;
    rig.talk.core.putPerson({ ...person, grants: elsewhere });
    await waitFor(
      'the move to be known',
      () => rig.talk.signaling.ground.people.get(moved.id)?.grants[0]?.scope !== site,
    );
    rig.advance(10_000);
    rig.incident({}, [orgScope, site]);
    await pushOf(phones[3]!, 2);
    expect(phones.slice(0, 3).map(({ received }) => received.length)).toEqual([0, 0, 0]);
  });

  it('rings again when it is raised or escalated, but not for a word that comes twice', async () => {
    await using rig = await startPushRig();
    const user = await rig.guard();
    const [phone, severe] = [await rig.phone(user), await rig.phone(user, { alarms_from: 'critical' })];
    let incident: Incident = rig.incident();
    await pushOf(phone);
    rig.incident(incident);
    rig.talk.core.append({ kind: 'incident', id: incident.id, scopes: [orgScope], data: incident });
    incident = rig.incident({ ...incident, severity: 'critical' });
    expect((await pushOf(phone, 2)).payload['severity']).toBe('critical');
    expect((await pushOf(severe)).headers['topic']).not.toBe(phone.received[0]?.headers['topic']);
    rig.incident({ ...incident, escalation_level: 1 });
    const third = await pushOf(phone, 3);
    // The same on the phone: it takes the place of the first.
    expect(third.headers['topic']).toBe(phone.received[0]?.headers['topic']);
  });

  it('that was acknowledged while it was being sent is taken down, and rings nobody when its word comes twice', async () => {
    await using rig = await startPushRig();
    const phone = await rig.phone(await rig.guard());
    phone.answerWith({ status: 201, delayMs: 500 });
    const incident = rig.incident();
    await waitFor('the push to be under way', () => rig.push.requests > 0);
    rig.incident({ ...incident, state: 'acknowledged' });
    expect((await pushOf(phone, 2)).payload).toMatchObject({ kind: 'cleared', incident_id: incident.id });
    rig.talk.core.append({ kind: 'incident', id: incident.id, scopes: [orgScope], data: incident });
    const other = rig.incident();
    expect((await pushOf(phone, 3)).payload['incident_id']).toBe(other.id);
  });

  it('waits for the morning in quiet hours only when it is not severe', async () => {
    await using rig = await startPushRig();
    const user = await rig.guard();
    const hour = (ms: number): string => toRfc3339(systemClock.now() + ms).slice(11, 16);
    const asleep = await rig.phone(user, {
      quiet: { from: hour(-3_600_000), until: hour(3_600_000), time_zone: 'UTC', except_from: 'high' },
    });
    const awake = await rig.phone(user);
    rig.incident({ severity: 'medium' });
    await pushOf(awake);
    const loud = rig.incident({ severity: 'high' });
    await pushOf(awake, 2);
    expect((await pushOf(asleep)).payload['incident_id']).toBe(loud.id);
  });
});

describe('from the page over the phone to e-mail', () => {
  it('tells core once who was shown nothing within a minute, and the timeline who was', async () => {
    await using rig = await startPushRig();
    const [seen, unseen] = [await rig.guard({ name: 'Sue Seen' }), await rig.guard({ name: 'Uli Unseen' })];
    const [phone, second, dark] = [await rig.phone(seen), await rig.phone(seen), await rig.phone(unseen)];
    const incident = rig.incident();
    const pushes = await Promise.all([phone, second, dark].map((one) => pushOf(one)));
    expect(await rig.report(pushes[0]!, 'shown')).toBe(204);
    expect(await rig.report(pushes[0]!, 'opened')).toBe(204);
    expect(await rig.report(pushes[1]!, 'shown')).toBe(204);
    rig.advance(60_000);
    await waitFor('core to be told', () => rig.undelivered().length > 0);
    rig.incident({ ...incident, escalation_level: 1 });
    await pushOf(dark, 2);
    rig.advance(60_000);
    // Sue's second ring was shown on no phone.
    await waitFor('core to be told of the second ring', () => rig.undelivered().length > 1);
    expect(rig.undelivered()).toEqual([
      { incident_id: incident.id, user_id: unseen.id, reason: '"Pixel" did not show it' },
      {
        incident_id: incident.id,
        user_id: seen.id,
        reason: '"Pixel" did not show it; "Pixel" did not show it',
      },
    ]);
    expect(rig.lines()).toMatchObject([
      {
        incident_id: incident.id,
        data: { push: 'shown', user_id: seen.id, name: 'Sue Seen', phone: 'Pixel' },
      },
    ]);
  });

  it('tells core at once of who has no phone, later when he has a console open, and never of who chose silence', async () => {
    await using rig = await startPushRig();
    const [bare, desk, silent] = [await rig.guard(), await rig.guard(), await rig.guard()];
    using _console = await desk.connect();
    await rig.phone(silent, { alarms_from: null });
    const incident = rig.incident();
    await waitFor('core to be told', () => rig.undelivered().length > 0);
    expect(rig.undelivered()).toEqual([
      { incident_id: incident.id, user_id: bare.id, reason: 'no phone is set up to be rung up' },
    ]);
    rig.advance(70_000);
    await waitFor('core to be told of the desk', () => rig.undelivered().length > 1);
    expect(rig.undelivered().map(({ user_id }) => user_id)).toEqual([bare.id, desk.id]);
  });

  it('tells core of nobody when it was acknowledged within the minute', async () => {
    await using rig = await startPushRig();
    const user = await rig.guard();
    const phone = await rig.phone(user);
    const incident = rig.incident();
    await pushOf(phone);
    rig.incident({ ...incident, state: 'acknowledged' });
    expect((await pushOf(phone, 2)).payload['kind']).toBe('cleared');
    rig.advance(60_000);
    const other = rig.incident();
    await pushOf(phone, 3);
    rig.advance(60_000);
    await waitFor('core to be told of the other', () => rig.undelivered().length > 0);
    expect(rig.undelivered().map(({ incident_id }) => incident_id)).toEqual([other.id]);
  });

  it('says on the timeline when nobody is on duty who could be rung up', async () => {
    await using rig = await startPushRig();
    await rig.phone(await rig.talk.user());
    const incident = rig.incident();
    await waitFor('the line', () => rig.lines().length > 0);
    expect(rig.lines()).toMatchObject([{ incident_id: incident.id, data: { push: 'nobody' } }]);
  });
});

describe('when the push service does not take it', () => {
  it('tries again, and a restart in between loses nothing', async () => {
    await using rig = await startPushRig();
    const user = await rig.guard();
    const phone = await rig.phone(user);
    phone.answerWith({ status: 503 });
    const incident = rig.incident();
    await settled(rig, phone.id, user, /503/);
    await rig.talk.restart();
    phone.answerWith(undefined);
    rig.advance(2 * 60_000);
    expect((await pushOf(phone)).payload['incident_id']).toBe(incident.id);
    const listed = await waitFor('the success', async () => {
      const one = await rig.listed(user, phone.id);
      return one?.last_error === null ? one : undefined;
    });
    expect(listed.last_success_at).not.toBeNull();
  });

  it('rings phones after a restart for what came meanwhile', async () => {
    await using rig = await startPushRig();
    const phone = await rig.phone(await rig.guard());
    let incident: Incident | undefined;
    await rig.talk.restart(() => (incident = rig.incident()));
    expect((await pushOf(phone)).payload['incident_id']).toBe(incident?.id);
    expect(phone.received).toHaveLength(1);
  });

  it('waits as long as the service asks', async () => {
    await using rig = await startPushRig();
    const user = await rig.guard();
    const [patient, other] = [await rig.phone(user), await rig.phone(user)];
    patient.answerWith({ status: 429, headers: { 'retry-after': '100' } });
    rig.incident();
    await settled(rig, patient.id, user, /429/);
    patient.answerWith(undefined);
    rig.advance(50_000);
    rig.incident();
    await pushOf(other, 2);
    // The second alarm has gone out, the first still waits.
    expect((await pushOf(patient)).payload['number']).toBe(other.received[1]?.payload['number']);
    rig.advance(51_000);
    expect((await pushOf(patient, 2)).payload['number']).toBe(other.received[0]?.payload['number']);
  });

  it('rings a subscription that is gone no more, says so, and goes on by e-mail at once when it was the last', async () => {
    await using rig = await startPushRig();
    const user = await rig.guard();
    const [phone, other] = [await rig.phone(user), await rig.phone(await rig.guard())];
    phone.answerWith({ status: 410 });
    const incident = rig.incident();
    await waitFor('core to be told', () => rig.undelivered().length > 0);
    expect(rig.undelivered()[0]).toMatchObject({ incident_id: incident.id, user_id: user.id });
    expect(await rig.listed(user, phone.id)).toMatchObject({
      last_error: expect.stringContaining('ended') as string,
      tested: { state: 'unreachable' },
    });
    await pushOf(other);
    const requests = rig.push.requests;
    rig.incident();
    await pushOf(other, 2);
    expect(rig.push.requests).toBe(requests + 1);
    expect((await user.call('testPushSubscription', { params: { id: phone.id } })).status).toBe(422);
  });

  it('says that there is no way out when nobody answers', async () => {
    await using rig = await startPushRig();
    const user = await rig.guard();
    for (const _ of [1, 2, 3]) await rig.phone(user);
    await rig.push.close();
    rig.incident();
    await waitFor('the heartbeat', () =>
      rig.talk.core.heartbeats
        .at(-1)
        ?.checks.find(({ name, state }) => name === 'push' && state === 'degraded'),
    );
    expect((await user.call('getPushKey')).body).toMatchObject({ enabled: false });
  });
});
