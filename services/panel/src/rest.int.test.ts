/** The REST routes of the receiver: permissions, adoption, zones, frames, audit. */
import { panelRoutes, type Grant } from '@siphera/contract';
import { openDatabase, systemClock } from '@siphera/runtime';
import { FakePanel } from '@siphera/testkit';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRig, testOrg, testSite, until, type Rig } from './testing/rig.ts';

const otherSite = '0192f000-0000-7000-8000-000000000003';
const otherOrg = '0192f000-0000-7000-8000-0000000000ff';
const device = '0192f000-0000-7000-8000-0000000000d1';
const area = '0192f000-0000-7000-8000-0000000000a1';
const org = `org:${testOrg}`;
let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
  await until(async () => ((await rig.rest('GET', '/panel/accounts')).status === 200 ? true : undefined));
});
afterAll(() => rig.stop());

let reports = 0;
/** One message on a connection of its own, as most panels do. */
async function report(account: string, data: string): Promise<void> {
  const panel = new FakePanel({ port: rig.panel.dc09Port, account, now: () => systemClock.now() });
  reports += 1;
  await panel.contactId(data, { sequence: String(reports).padStart(4, '0') });
  panel.close();
}

const items = (body: unknown): Record<string, unknown>[] =>
  (body as { items: Record<string, unknown>[] }).items;

describe('an account', () => {
  it('that nobody knows waits, is adopted by a map, and then tells the guard which door', async () => {
    await report('5001', '1130 01 005');
    const [waiting] = items((await rig.rest('GET', '/panel/accounts?state=waiting')).body);
    expect(waiting).toMatchObject({
      account: '5001',
      state: 'waiting',
      frames: 1,
      site_id: null,
      transport: 'tcp',
    });
    const path = `/panel/accounts/${String(waiting?.['id'])}`;

    expect((await rig.rest('PATCH', path, { name: 'Warehouse' })).status).toBe(422);
    const adopted = await rig.rest('PATCH', path, { name: 'Warehouse', site_id: testSite });
    expect(adopted).toMatchObject({
      status: 200,
      body: { state: 'active', name: 'Warehouse', site_id: testSite },
    });

    const csv = `partition,zone,name,device_id,area_id\n1,5,Loading dock door,${device},\n2,,Office,,${area}\n`;
    const preview = await rig.rest('POST', `${path}/zones/import/preview`, { csv });
    expect(preview.body).toMatchObject({ ok: 2, bad: 0, applied: false });
    expect(items((await rig.rest('GET', `${path}/zones`)).body)).toEqual([]);
    expect((await rig.rest('POST', `${path}/zones/import`, { csv })).body).toMatchObject({ applied: true });

    await report('5001', '1130 01 005');
    await report('5001', '3441 02 003');
    expect(rig.core.events.at(-2)).toMatchObject({
      subject: device,
      siteid: testSite,
      orgid: testOrg,
      data: { zone: '005', zone_name: 'Loading dock door', panel_name: 'Warehouse' },
    });
    const closed = rig.core.events.at(-1);
    expect(closed).toMatchObject({
      type: 'panel.closed',
      areaid: area,
      data: { partition: '02', partition_name: 'Office', qualifier: 'status', user: '003' },
    });
    expect(closed?.subject).toBeUndefined();
    expect(rig.core.deadLetters).toEqual([]);
  });

  it('whose zone is mapped to a device that is gone still rings, without its place', async () => {
    const gone = '0192f000-0000-7000-8000-0000000000de';
    const { id } = await rig.adopt('500F', { device_id: gone });
    rig.core.removedDevices.add(gone);
    await report('500F', '1130 01 005');
    const event = rig.core.events.at(-1);
    expect(event).toMatchObject({
      type: 'panel.alarm',
      data: { account: '500F', unplaced: expect.any(String) as string },
    });
    expect(event?.subject).toBeUndefined();
    rig.core.deadLetters.length = 0;
    await rig.rest('DELETE', `/panel/accounts/${id}`);
  });

  it('of a self-test is not put on the waiting list', async () => {
    await report('5E1F0A0B', '1601 00 000');
    expect(rig.core.events.at(-1)).toMatchObject({ type: 'panel.test', data: { account: '5E1F0A0B' } });
    expect(JSON.stringify((await rig.rest('GET', '/panel/accounts')).body)).not.toContain('5E1F0A0B');
  });

  it('that is ignored is acknowledged and makes no event', async () => {
    const { id } = await rig.adopt('5002');
    expect((await rig.rest('PATCH', `/panel/accounts/${id}`, { state: 'ignored' })).status).toBe(200);
    const before = rig.core.events.length;
    await report('5002', '1130 01 005');
    expect(rig.core.events).toHaveLength(before);
    expect((await rig.rest('DELETE', `/panel/accounts/${id}`)).status).toBe(204);
    await report('5002', '1130 01 006');
    const [again] = items((await rig.rest('GET', '/panel/accounts?state=waiting')).body);
    expect(again).toMatchObject({ account: '5002' });
  });

  it('cannot be made twice, nor require encryption without a key; its key is never shown or stored in the open', async () => {
    const key = 'c0ffee'.repeat(10) + 'c0ff';
    const made = await rig.adopt('5003', { key_hex: key, require_encryption: true });
    expect(made).toMatchObject({ key_set: true, key_bits: 256 });
    const twice = await rig.rest('POST', '/panel/accounts', {
      account: '5003',
      name: 'x',
      site_id: testSite,
    });
    expect(twice.status).toBe(409);
    expect((await rig.rest('PATCH', `/panel/accounts/${made.id}`, { key_hex: null })).status).toBe(422);
    const listing = JSON.stringify((await rig.rest('GET', '/panel/accounts')).body);
    expect(listing.toLowerCase()).not.toContain('c0ffeec0ffee');
    const db = openDatabase(join(rig.directory, 'panel.db'), { readonly: true });
    const sealed = db.prepare('SELECT key_sealed FROM accounts WHERE id = ?').pluck().get(made.id) as Buffer;
    db.close();
    expect(sealed.toString('hex')).not.toContain('c0ffeec0ffee');
    expect(JSON.stringify(rig.core.audits) + rig.log.join('')).not.toContain('c0ffeec0ffee');
  });
});

describe('each change', () => {
  it('is in the audit, also when core was away while it was made', async () => {
    await rig.adopt('5004');
    await until(() => rig.core.audits.some((row) => row['target'] === 'panel_account:5004') || undefined);
    expect(rig.core.audits.find((row) => row['target'] === 'panel_account:5004')).toMatchObject({
      action: 'panel_account.create',
      actor: { kind: 'user', name: 'Ada Admin' },
      org_id: testOrg,
    });
  });
});

describe('input', () => {
  it('with SQL or HTML in text fields is kept as text', async () => {
    const name = `<img src=x onerror=alert(1)>'); DROP TABLE accounts;--`;
    const made = await rig.adopt('5005', { name });
    expect(made.name).toBe(name);
    expect((await rig.rest('GET', `/panel/accounts/${made.id}`)).body).toMatchObject({ name });
  });

  it('that is no map is refused: two entries for one zone, an entry for nothing, a CSV with a bad row', async () => {
    const { id } = await rig.adopt('5006');
    const entry = { name: 'A', device_id: null, area_id: null };
    const put = (list: unknown[]) => rig.rest('PUT', `/panel/accounts/${id}/zones`, { items: list });
    expect(
      (
        await put([
          { ...entry, partition: '1', zone: '5' },
          { ...entry, partition: '01', zone: '005' },
        ])
      ).status,
    ).toBe(400);
    expect((await put([{ ...entry, partition: null, zone: null }])).status).toBe(400);
    expect((await put([{ ...entry, partition: '1', zone: '5' }])).status).toBe(200);
    const csv = 'zone,name\n6,Good\n7,=1+1\n';
    expect((await rig.rest('POST', `/panel/accounts/${id}/zones/import`, { csv })).body).toMatchObject({
      ok: 1,
      bad: 1,
      applied: false,
    });
    expect(items((await rig.rest('GET', `/panel/accounts/${id}/zones`)).body)).toHaveLength(1);
  });

  it.each([
    '/panel/frames?cursor=x',
    '/panel/frames?limit=0',
    '/panel/accounts/nope',
    '/panel/accounts?state=odd',
  ])('that does not fit is refused: %s', async (path) => {
    expect((await rig.rest('GET', path)).status).toBe(400);
  });
});

describe('frames', () => {
  it('come newest first, page by page, without a gap', async () => {
    for (let zone = 1; zone <= 5; zone += 1) await report('5007', `1130 01 00${zone}`);
    await until(async () => {
      const { body } = await rig.rest('GET', '/panel/frames?account=5007');
      return items(body).every((item) => item['verdict'] === 'ack') || undefined;
    });
    const seen: unknown[] = [];
    let cursor: string | undefined = '';
    while (cursor !== undefined) {
      const { body } = await rig.rest(
        'GET',
        `/panel/frames?account=5007&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      seen.push(...items(body).map((item) => item['raw']));
      cursor = (body as { next_cursor?: string }).next_cursor;
    }
    expect(seen).toHaveLength(5);
    expect(seen[0]).toMatch(/^\\x0a[0-9A-F]{4}00..\"ADM-CID\"\d{4}R0L0#5007\[#5007\|1130 01 005\]\\x0d$/);
  });
});

describe('permissions', () => {
  const read = (scope: string): Grant[] => [{ permissions: ['panel.read'], scope }];
  const manage = (scope: string): Grant[] => [{ permissions: ['panel.read', 'panel.manage'], scope }];

  it('are asked on every route, and another organisation finds nothing', async () => {
    const { id } = await rig.adopt('5008');
    const bodies: Record<string, unknown> = {
      createPanelAccount: { account: '5999', name: 'x', site_id: testSite },
      updatePanelAccount: { name: 'x' },
      putZones: { items: [] },
      previewZoneImport: { csv: 'zone,name\n1,A' },
      importZones: { csv: 'zone,name\n1,A' },
    };
    for (const [name, route] of Object.entries(panelRoutes)) {
      const path = route.path.replace('{id}', id);
      const call = (grants: Grant[]) => rig.rest(route.method.toUpperCase(), path, bodies[name], grants);
      expect([name, (await call([])).status]).toEqual([name, 403]);
      expect([name, (await call([{ permissions: ['event.read'], scope: org }])).status]).toEqual([name, 403]);
      if (route.access === 'panel.manage')
        expect([name, (await call(read(org))).status]).toEqual([name, 403]);
      const foreign = await call(manage(`org:${otherOrg}`));
      if (route.path.includes('{id}')) expect([name, foreign.status]).toEqual([name, 404]);
      else if (route.access === 'panel.read') expect(items(foreign.body)).toEqual([]);
      else expect([name, foreign.status]).toEqual([name, 403]);
    }
  });

  it('on one site reach no other site, and no account that waits', async () => {
    const { id } = await rig.adopt('5009', { site_id: otherSite });
    await report('50FF', '1602 00 000');
    const grants = manage(`site:${testSite}`);
    expect((await rig.rest('GET', `/panel/accounts/${id}`, undefined, grants)).status).toBe(404);
    const listed = items((await rig.rest('GET', '/panel/accounts', undefined, grants)).body);
    expect(listed.every((one) => one['site_id'] === testSite)).toBe(true);
    const frames = items((await rig.rest('GET', '/panel/frames?limit=200', undefined, grants)).body);
    expect(frames.some((one) => one['account'] === '50FF' || one['account'] === '5009')).toBe(false);
    const moved = await rig.adopt('500A');
    const away = await rig.rest('PATCH', `/panel/accounts/${moved.id}`, { site_id: otherSite }, grants);
    expect(away.status).toBe(403);
  });

  it('need a token that core signed', async () => {
    const url = `http://127.0.0.1:${rig.panel.httpPort}/api/v1/panel/accounts`;
    expect((await fetch(url)).status).toBe(401);
    const forged = rig.core
      .token(testOrg, manage(org), systemClock.now())
      .replace(/\.[^.]+$/, `.${'A'.repeat(86)}`);
    expect((await fetch(url, { headers: { authorization: `Bearer ${forged}` } })).status).toBe(401);
    const old = rig.core.token(testOrg, manage(org), systemClock.now() - 3_600_000);
    expect((await fetch(url, { headers: { authorization: `Bearer ${old}` } })).status).toBe(401);
  });
});
