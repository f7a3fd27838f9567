/** Drills: what is dialled, what the report says, and that nothing of it reaches real help. */
import { Drill, EmergencyLocation } from '@siphera/contract';
import { waitFor } from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { CallOrder, CallOutcome } from './alarm-calls.part.ts';
import { testSite } from './testing/bridge-rig.ts';
import { startEmergencyRig, type EmergencyRig } from './testing/emergency-kit.ts';
import { civic } from './testing/location-kit.ts';

const answered: CallOutcome = { outcome: 'answered', code: 200, reason: 'OK', answeredMs: 80, digits: '' };
let rig: EmergencyRig;
let psap = '';
const labels = new Map<string, string>();

beforeAll(async () => {
  rig = await startEmergencyRig({
    fill: (book) => book.addTrunk({ numbers: [{ number: '+13035550100', extension: '2001' }] }),
  });
  for (const label of ['Gate', 'Lobby', 'Roof']) {
    const { body } = await rig.rest('POST', '/sip/emergency/locations', {
      label,
      site_id: testSite,
      civic: civic({ FLR: label }),
    });
    labels.set(EmergencyLocation.parse(body).id, label);
  }
}, 60_000);
afterAll(() => rig.stop());

const start = (body: Record<string, unknown> = {}) =>
  rig.rest('POST', '/sip/emergency/drills', { name: 'Monday', site_id: testSite, ...body });
const get = async (id: string): Promise<Drill> =>
  Drill.parse((await rig.rest('GET', `/sip/emergency/drills/${id}`)).body);
const over = (id: string): Promise<Drill> =>
  waitFor('the drill is over', async () => {
    const drill = await get(id);
    return drill.state === 'running' ? undefined : drill;
  });

/** Kamailio as it reports a drill that goes well, with what a test changes. */
function report(order: CallOrder, change: Record<string, Record<string, unknown>> = {}): void {
  const at = rig.bridge.ground.clock.now();
  const call = `drill-${rig.caller.orders.length}`;
  const trunk = { trunk: psap, style: 'pidf-lo' };
  const place = { location: order.headers?.['X-Siphera-Location'], location_by: 'caller' };
  const steps: [number, string, Record<string, unknown>][] = [
    [0, 'dialled', { dialled: '*911', number: '911', callback: '+13035550100', ...place }],
    [14, 'sent', trunk],
    [80, 'answered', trunk],
    [2_080, 'ended', {}],
  ];
  for (const [ms, state, more] of steps)
    rig.kamailio.report({
      kind: 'emergency',
      mode: 'drill',
      call,
      at_ms: at + ms,
      state,
      ...more,
      ...change[state],
    });
}

describe('a drill', () => {
  it('is refused in words without a test PSAP, and with one that leads to real help', async () => {
    expect(await start()).toMatchObject({
      status: 422,
      body: { detail: 'No trunk is set as the test PSAP.', hint: expect.stringContaining('drill') },
    });
    const both = rig.book.addTrunk({ name: 'Both', uses: ['drill', 'emergency'] });
    expect((await start()).body).toMatchObject({ detail: expect.stringContaining('would call real help') });
    rig.book.trunkList.splice(rig.book.trunkList.indexOf(both), 1);
    psap = rig.book.addTrunk({
      name: 'Test PSAP',
      host: 'psap.test',
      uses: ['drill'],
      location_style: 'pidf-lo',
    }).id;
    expect(rig.caller.orders).toEqual([]);
  });

  it('is started by admins, for locations of the site that are there', async () => {
    const guard = await rig.rest(
      'POST',
      '/sip/emergency/drills',
      { name: 'x', site_id: testSite },
      { as: 'guard' },
    );
    expect(guard.status).toBe(403);
    expect((await start({ location_ids: [psap] })).status).toBe(404);
    expect((await start({ site_id: psap })).body).toMatchObject({
      detail: expect.stringContaining('no locations'),
    });
    rig.kamailio.down = true;
    expect((await start()).status).toBe(503);
    rig.kamailio.down = false;
  });

  it('calls the test PSAP from each location in turn, and says what was seen with figures', async () => {
    rig.caller.meet = async (order) => {
      // Somebody else's call, and one that did not say from where, are not ours.
      report(order, { dialled: { location_by: 'site' }, answered: { code: 1 } });
      report({ ...order, headers: { 'X-Siphera-Location': psap } });
      if (labels.get(order.headers?.['X-Siphera-Location'] ?? '') === 'Lobby')
        return { ...answered, code: 503, reason: 'Away' };
      await Promise.resolve();
      report(order);
      return answered;
    };
    const begun = await start();
    expect(begun).toMatchObject({
      status: 202,
      body: { state: 'running', total: 3, started_by: 'Ada Admin' },
    });
    const drill = await over(Drill.parse(begun.body).id);
    expect(
      rig.caller.orders.map(({ to, headers }) => [to, labels.get(headers?.['X-Siphera-Location'] ?? '')]),
    ).toEqual([
      ['*911', 'Gate'],
      ['*911', 'Lobby'],
      ['*911', 'Roof'],
    ]);
    expect(drill).toMatchObject({ state: 'done' });
    expect(drill.results.map(({ label, passed }) => [label, passed])).toEqual([
      ['Gate', true],
      ['Lobby', false],
      ['Roof', true],
    ]);
    expect(drill.results[0]?.steps.map(({ what, ok, ms }) => [what, ok, ms])).toEqual([
      ['INVITE on the test trunk', true, 14],
      ['Location as sent', true, null],
      ['Answered by the test PSAP', true, 80],
      ['Call-back number', true, null],
    ]);
    expect(drill.results[1]?.steps.map(({ detail }) => detail)).toEqual([
      'the SIP server reported no drill from here: 503 Away',
    ]);
    const { body } = await rig.rest('GET', '/sip/emergency/locations', undefined, { as: 'guard' });
    const { items } = z.object({ items: z.array(EmergencyLocation) }).parse(body);
    expect(items.map(({ label, last_drill: last }) => [label, last?.passed])).toEqual([
      ['Gate', true],
      ['Lobby', false],
      ['Roof', true],
    ]);
    expect(rig.core.events).toEqual([]);
    expect(rig.core.posts).toEqual([]);
  }, 60_000);

  it('is one at a time, stops when told, and keeps what it had seen', async () => {
    const second = Promise.withResolvers<void>();
    let placed = 0;
    rig.caller.meet = (order) => {
      placed += 1;
      if (placed === 1) {
        report(order);
        return answered;
      }
      second.resolve();
      return new Promise((resolve) =>
        order.signal?.addEventListener('abort', () => resolve({ ...answered, outcome: 'failed' })),
      );
    };
    const { id } = Drill.parse((await start()).body);
    await second.promise;
    expect(await start()).toMatchObject({ status: 409, body: { detail: 'A drill is running already.' } });
    expect(await get(id)).toMatchObject({ state: 'running', ended_at: null, results: [{ label: 'Gate' }] });
    const stopped = await rig.rest('POST', `/sip/emergency/drills/${id}/stop`);
    expect(stopped.body).toMatchObject({ state: 'stopped', results: [{ label: 'Gate' }] });
    expect(placed).toBe(2);
  }, 60_000);

  it('ends when a trunk for real help takes the place of the test PSAP under way', async () => {
    const trunk = rig.book.trunk(psap) ?? expect.fail('no trunk');
    rig.caller.meet = (order) => {
      report(order);
      trunk.uses = ['drill', 'emergency'];
      return answered;
    };
    const drill = await over(Drill.parse((await start()).body).id);
    trunk.uses = ['drill'];
    expect(drill).toMatchObject({ state: 'stopped', results: [{ label: 'Gate' }] });
  }, 60_000);

  it('that a stop of the bridge breaks off is there as stopped', async () => {
    const under = Promise.withResolvers<void>();
    rig.caller.meet = (order) => {
      under.resolve();
      return new Promise((resolve) =>
        order.signal?.addEventListener('abort', () => resolve({ ...answered, outcome: 'failed' })),
      );
    };
    const { id } = Drill.parse((await start()).body);
    await under.promise;
    await rig.restart();
    expect(await get(id)).toMatchObject({ state: 'stopped', results: [] });
    // A power cut leaves it as running in the file.
    rig.bridge.ground.db.prepare(`UPDATE drills SET state = 'running', ended_ms = NULL WHERE id = ?`).run(id);
    await rig.restart();
    expect(await get(id)).toMatchObject({ state: 'stopped' });
    const { body } = await rig.rest('GET', '/sip/emergency/drills?limit=3', undefined, { as: 'guard' });
    const page = z.object({ items: z.array(Drill), next_cursor: z.string() }).parse(body);
    expect(page.items.map((drill) => drill.state)).toEqual(['stopped', 'stopped', 'stopped']);
    const next = await rig.rest('GET', `/sip/emergency/drills?cursor=${page.next_cursor}`);
    expect(next.body).toMatchObject({ items: [{ state: 'done' }] });
  }, 60_000);
});
