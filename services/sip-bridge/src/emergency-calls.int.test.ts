/** Emergency calls as Kamailio reports them, and as core and the list show them. */
import { EmergencyCall, EmergencyLocation, internalPaths } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime';
import { fakeClock, waitFor } from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { office, testOrg, testSite, yard } from './testing/bridge-rig.ts';
import { incidentId, posted, startEmergencyRig, type EmergencyRig } from './testing/emergency-kit.ts';
import { civic } from './testing/location-kit.ts';

const gil = '0192f000-0000-7000-8000-0000000000b1';
const clock = fakeClock();
/** The wall clock alone: on the other one hang timeouts of connections. */
const advance = (ms: number): void => clock.set(clock.now() + ms);
let rig: EmergencyRig;
let trunk = '';
let lobby = '';
let calls = 0;

beforeAll(async () => {
  rig = await startEmergencyRig({
    clock,
    before: (core) => {
      core.directory.addPerson(testOrg, 'Gil Guard', 'guard', { id: gil });
    },
    fill: (book) => {
      trunk = book.addTrunk({ location_style: 'pidf-lo' }).id;
      book.add('2001', { kind: 'user', name: 'Gil', user_id: gil });
      book.add('2002', { name: 'Office phone', area_id: office });
    },
  });
  const { body } = await rig.rest('POST', '/sip/emergency/locations', {
    label: 'Lobby',
    site_id: testSite,
    civic: civic(),
    area_ids: [office],
  });
  lobby = EmergencyLocation.parse(body).id;
}, 60_000);
afterAll(() => rig.stop());

const emergencyCalls = async (kind?: string): Promise<EmergencyCall[]> => {
  const { body } = await rig.rest('GET', `/sip/emergency/calls${kind === undefined ? '' : `?kind=${kind}`}`);
  return z.object({ items: z.array(EmergencyCall) }).parse(body).items;
};
/** A call with its steps; returns its Call-ID. */
function call(
  steps: readonly [number, string, Record<string, unknown>?][],
  mode = 'emergency',
  id?: string,
): string {
  calls += 1;
  const callId = id ?? `call-${calls}@phone`;
  const at = clock.now();
  for (const [ms, state, more = {}] of steps)
    rig.kamailio.report({ kind: 'emergency', call: callId, mode, at_ms: at + ms, state, ...more });
  return callId;
}
const dialled = (more: Record<string, unknown> = {}): [number, string, Record<string, unknown>] => [
  0,
  'dialled',
  {
    from: '2001',
    verified: true,
    dialled: '911',
    number: '911',
    location_by: 'none',
    source: '10.0.0.7',
    ...more,
  },
];
const opened = (title: string): Record<string, unknown> | undefined =>
  posted(rig, internalPaths.openIncident).find((body) => body['title'] === title);

describe('an emergency call', () => {
  it('is an incident and an event within a second, and each step is a line', async () => {
    call([
      dialled({ location: lobby, location_by: 'area', callback: '+13035550100' }),
      [20, 'sent', { trunk, style: 'pidf-lo' }],
      [40, 'trunk_failed', { trunk, style: 'pidf-lo', code: 503, reason: 'Busy' }],
      [50, 'sent', { trunk, style: 'none' }],
      [300, 'ringing'],
      [900, 'answered', { trunk, style: 'none' }],
      [61_000, 'ended'],
    ]);
    const title = 'Emergency call 911 from 2001 Gil Guard';
    const incident = await waitFor('the incident is open', () => opened(title));
    expect(incident).toMatchObject({
      org_id: testOrg,
      site_id: testSite,
      area_id: office,
      severity: 'critical',
      data: {
        number: '911',
        caller: { number: '2001', name: 'Gil Guard', verified: true, address: '10.0.0.7' },
        location: { id: lobby, label: 'Lobby', by: 'area' },
        callback: '+13035550100',
        at: toRfc3339(clock.now()),
      },
    });
    const lines = await waitFor('all lines are told', () => {
      const told = posted(rig, internalPaths.incidentLine);
      return told.length >= 5 ? told : undefined;
    });
    expect(lines.map((line) => (line['data'] as { step: string }).step)).toEqual([
      'sent',
      'trunk_failed',
      'sent',
      'answered',
      'ended',
    ]);
    expect(new Set(lines.map((line) => line['incident_id']))).toEqual(new Set([incidentId]));
    const event = await waitFor('the event came', () =>
      rig.core.events.find(({ type }) => type === 'emergency.called'),
    );
    expect(event).toMatchObject({
      source: 'sip/emergency',
      orgid: testOrg,
      siteid: testSite,
      areaid: office,
      data: { number: '911', caller: '2001 Gil Guard', location: 'Lobby', callback: '+13035550100' },
    });
    expect(rig.core.deadLetters).toEqual([]);
    const [shown] = await emergencyCalls();
    expect(shown).toMatchObject({
      kind: 'emergency',
      state: 'ended',
      incident_id: incidentId,
      trunk_name: 'Main',
      style: 'none',
      location_label: 'Lobby',
      attempts: [{ trunk_id: trunk, name: 'Main', code: 503, reason: 'Busy' }],
    });
  });

  it('that comes twice is one; a call back is a line of it, and its number goes to the newest call', async () => {
    const before = posted(rig, internalPaths.openIncident).length;
    advance(600_000);
    const firstMs = clock.now();
    const first = call([dialled({ callback: '+13035550177' })]);
    for (const uid of ['same', 'same'])
      rig.kamailio.report({
        kind: 'emergency',
        uid,
        call: first,
        mode: 'emergency',
        at_ms: firstMs + 9,
        state: 'answered',
      });
    rig.kamailio.report({
      kind: 'callback',
      call: 'back@trunk',
      emergency: first,
      at_ms: firstMs + 60_000,
      from: '+13035551234',
      reached: true,
    });
    advance(900_000);
    call([dialled({ callback: '+13035550177' })]);
    await waitFor('two more incidents', () => posted(rig, internalPaths.openIncident).length >= before + 2);
    await waitFor('the line about the call back', () =>
      posted(rig, internalPaths.incidentLine).some(({ text }) => String(text).includes('reached the caller')),
    );
    const [second, shown] = await emergencyCalls();
    expect(second?.callback_until).toBe(toRfc3339(clock.now() + 7_200_000));
    expect(shown).toMatchObject({
      state: 'answered',
      callback_until: toRfc3339(firstMs + 900_000),
      callbacks: [{ from: '+13035551234', reached: true, at: toRfc3339(firstMs + 60_000) }],
    });
    const answered = posted(rig, internalPaths.incidentLine).filter(({ data }) => {
      const { step, at } = data as { step: string; at: string };
      return step === 'answered' && at === toRfc3339(firstMs + 9);
    });
    expect(answered).toHaveLength(1);
    expect(posted(rig, internalPaths.openIncident)).toHaveLength(before + 2);
  });

  it('with the Call-ID of an earlier one is another emergency', async () => {
    const before = posted(rig, internalPaths.openIncident).length;
    call([dialled({ source: 'one' }), [5, 'ended']], 'emergency', 'copied@phone');
    advance(1_000);
    call([dialled({ source: 'two' }), [5, 'answered']], 'emergency', 'copied@phone');
    await waitFor('two incidents', () => posted(rig, internalPaths.openIncident).length === before + 2);
    const [second, first] = await emergencyCalls();
    expect([first?.state, first?.caller.address]).toEqual(['ended', 'one']);
    expect([second?.state, second?.caller.address]).toEqual(['answered', 'two']);
  });

  it('that no trunk took is told as such', async () => {
    advance(60_000);
    call([dialled(), [30, 'failed', { code: 503, reason: 'No trunk took the call' }]]);
    await waitFor('the event came', () => rig.core.events.some(({ type }) => type === 'emergency.failed'));
    expect((await emergencyCalls())[0]).toMatchObject({ state: 'failed' });
  });

  it('of the test number or a drill is kept in the list, and is no incident', async () => {
    const before = posted(rig, internalPaths.openIncident).length;
    advance(60_000);
    call([dialled({ number: '933', dialled: '933' }), [9, 'answered']], 'test');
    call([dialled({ dialled: '*911' }), [9, 'answered']], 'drill');
    call([dialled({ from: 'stranger', verified: false, source: '10.9.9.9' })]);
    await waitFor(
      'the incident of the real one',
      () => posted(rig, internalPaths.openIncident).length > before,
    );
    expect(posted(rig, internalPaths.openIncident)).toHaveLength(before + 1);
    expect(opened('Emergency call 911 from stranger')).toBeDefined();
    expect((await emergencyCalls('test')).map(({ number }) => number)).toEqual(['933']);
    expect((await emergencyCalls('drill')).map(({ dialled: typed }) => typed)).toEqual(['*911']);
  });

  it('is listed page by page, to those who may see where it was', async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const { body } = await rig.rest(
        'GET',
        `/sip/emergency/calls?limit=2${cursor === undefined ? '' : `&cursor=${cursor}`}`,
        undefined,
        { as: 'guard' },
      );
      const page = z
        .object({ items: z.array(EmergencyCall), next_cursor: z.string().optional() })
        .parse(body);
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.next_cursor;
    } while (cursor !== undefined);
    expect(seen).toHaveLength(calls);
    expect(new Set(seen).size).toBe(calls);
    const elsewhere = [{ permissions: ['phone.read' as const], scope: `area:${yard}` }];
    const other = await rig.rest('GET', '/sip/emergency/calls', undefined, { as: elsewhere });
    expect(other.body).toMatchObject({ items: [] });
    const bad = await rig.rest('GET', '/sip/emergency/calls?cursor=x');
    expect(bad.status).toBe(400);
  });

  it('while core is down is told afterwards with the time of then, also after a restart of the bridge', async () => {
    await rig.core.stop();
    const at = clock.now();
    call([dialled({ from: '2002', callback: '+13035550100' }), [25, 'sent', { trunk, style: 'pidf-lo' }]]);
    await waitFor('it waits', () => rig.bridge.ground.db.prepare('SELECT 1 FROM emergency_words').get());
    advance(3_600_000);
    await rig.halt();
    await rig.core.start();
    await rig.restart();
    const incident = await waitFor('the incident is open', () =>
      opened('Emergency call 911 from 2002 Office phone'),
    );
    expect(incident).toMatchObject({ data: { at: toRfc3339(at) } });
    await waitFor('its line is told', () =>
      posted(rig, internalPaths.incidentLine).some(
        ({ data }) => (data as { at: string }).at === toRfc3339(at + 25),
      ),
    );
    const event = await waitFor('the event came', () =>
      rig.core.events.find(
        ({ data, type }) => type === 'emergency.called' && data['caller'] === '2002 Office phone',
      ),
    );
    expect(event.time).toBe(toRfc3339(at));
  }, 60_000);

  it('that core refuses holds up no other, and the page of health says so', async () => {
    const answer = rig.core.answers.get(internalPaths.openIncident) ?? expect.fail('core answers');
    rig.core.answers.delete(internalPaths.openIncident);
    rig.core.unknownPathCode = 'unprocessable';
    call([dialled({ from: 'refused' }), [5, 'answered']]);
    await waitFor('it is refused, and its line with it', () =>
      rig.checks()[0]?.detail.includes('2 were refused'),
    );
    expect(rig.checks()).toMatchObject([{ name: 'emergency calls', state: 'degraded' }]);
    rig.core.answers.set(internalPaths.openIncident, answer);
    call([dialled({ from: 'taken' })]);
    await waitFor('the other one is open', () => opened('Emergency call 911 from taken'));
    expect(opened('Emergency call 911 from refused')).toBeUndefined();
  });
});
