/** The receiver on a real box: a panel reports, core commits, the event is in the list and a console's feed. */
import { systemClock } from '@siphera/runtime';
import { call, FakePanel, setupAdmin, startBox, type Box } from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from './testing/rig.ts';

let box: Box;
let token: string;
let siteId: string;

beforeAll(async () => {
  box = await startBox({ services: ['panel'] });
  ({ token } = await setupAdmin(box));
  const sites = await call(box, 'listSites', { token });
  siteId = sites.items[0]?.id ?? '';
});
afterAll(async () => {
  await box.stop();
});

const dc09Port = (): number => box.panel?.dc09Port ?? 0;

describe('a panel on a real box', () => {
  it('has its report acknowledged by core, with the zone by its name, and arms its area', async () => {
    const area = await call(box, 'createArea', {
      token,
      body: { site_id: siteId, name: 'Warehouse', parent_id: null },
    });
    const key = Buffer.alloc(32, 0x42);
    const account = await until(async () => {
      try {
        return await call(box, 'createPanelAccount', {
          token,
          body: { account: '7A01', name: 'Warehouse panel', site_id: siteId, key_hex: key.toString('hex') },
        });
      } catch (error) {
        if ((error as { status?: number }).status === 503) return undefined;
        throw error;
      }
    });
    await call(box, 'putZones', {
      token,
      params: { id: account.id },
      body: {
        items: [
          { partition: '1', zone: '5', name: 'Loading dock door', device_id: null, area_id: area.id },
          { partition: '1', zone: null, name: 'Warehouse', device_id: null, area_id: area.id },
        ],
      },
    });
    const panel = new FakePanel({ port: dc09Port(), account: '7A01', key, now: () => systemClock.now() });
    expect((await panel.contactId('1130 01 005')).answer).toMatchObject({ kind: 'ACK', encrypted: true });
    expect((await panel.contactId('3401 01 003')).answer?.kind).toBe('ACK');
    panel.close();

    const { items } = await call(box, 'listEvents', { token });
    const alarm = items.find((event) => event.type === 'panel.alarm');
    expect(alarm).toMatchObject({
      area_id: area.id,
      data: { account: '7A01', zone: '005', zone_name: 'Loading dock door', panel_name: 'Warehouse panel' },
    });
    const areas = await call(box, 'listAreas', { token });
    expect(areas.items.find((one) => one.id === area.id)?.armed).toBe('armed');
    expect((await call(box, 'listDeadLetters', { token })).items).toEqual([]);
  });

  it('loses and doubles nothing while core is killed under it', async () => {
    const panel = new FakePanel({
      port: dc09Port(),
      account: '7A02',
      now: () => systemClock.now(),
      answerMs: 500,
      attempts: 100,
    });
    let acked = 0;
    const load = (async () => {
      for (let zone = 1; zone <= 60; zone += 1) {
        const { answer } = await panel.contactId(`1130 01 ${String(zone).padStart(3, '0')}`);
        if (answer?.kind === 'ACK') acked += 1;
      }
    })();
    for (let kill = 0; kill < 2; kill += 1) {
      const before = acked;
      await until(() => acked >= before + 10 || undefined);
      await box.core.daemon.kill9();
      await box.core.daemon.start();
    }
    await load;
    panel.close();
    expect(acked).toBe(60);
    const zones = new Set<unknown>();
    let count = 0;
    let cursor: string | undefined;
    do {
      const page = await call(box, 'listEvents', {
        token,
        query: { limit: 200, ...(cursor ? { cursor } : {}) },
      });
      for (const event of page.items) {
        if (event.data['account'] !== '7A02') continue;
        zones.add(event.data['zone']);
        count += 1;
      }
      cursor = page.next_cursor;
    } while (cursor !== undefined);
    expect([count, zones.size]).toEqual([60, 60]);
  });
});
