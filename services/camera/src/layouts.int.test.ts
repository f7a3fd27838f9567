import type { Grant } from '@siphera/contract';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startLiveRig, type LiveRig } from './testing/live-rig.ts';
import { until, yard } from './testing/rig.ts';

let rig: LiveRig;
beforeEach(async () => {
  rig = await startLiveRig();
});
afterEach(() => rig.stop());

const onlyYard: Grant[] = [{ permissions: ['camera.live'], scope: `area:${yard}` }];
const layout = (tiles: object[], more: object = {}): object => ({
  name: 'Night',
  columns: 2,
  rows: 2,
  tiles,
  shared: false,
  ...more,
});

describe('layouts of the wall', () => {
  it('are kept, changed and removed by who made them', async () => {
    const { id } = await rig.watched();
    const made = await rig.rest(
      'POST',
      '/camera/layouts',
      layout([{ camera_id: id, x: 0, y: 0, w: 2, h: 1 }]),
    );
    expect(made).toMatchObject({ status: 201, body: { own: true, owner_name: 'Ada Admin', name: 'Night' } });
    const path = `/camera/layouts/${(made.body as { id: string }).id}`;
    const changed = await rig.rest('PUT', path, layout([], { name: 'Day', shared: true }));
    expect(changed).toMatchObject({ status: 200, body: { name: 'Day', shared: true, tiles: [] } });
    await rig.restart();
    expect((await rig.rest('GET', '/camera/layouts')).body).toMatchObject({ items: [{ name: 'Day' }] });
    expect((await rig.rest('DELETE', path)).status).toBe(204);
    expect((await rig.rest('DELETE', path)).status).toBe(404);
  });

  it('hold only cameras that their maker sees, inside the layout', async () => {
    const { id } = await rig.watched();
    const outside = layout([{ camera_id: id, x: 1, y: 0, w: 2, h: 1 }]);
    expect((await rig.rest('POST', '/camera/layouts', outside)).status).toBe(422);
    const office: Grant[] = [
      { permissions: ['camera.live'], scope: 'area:0192f000-0000-7000-8000-0000000000a2' },
    ];
    const own = layout([{ camera_id: id, x: 0, y: 0, w: 1, h: 1 }], { shared: true });
    expect((await rig.rest('POST', '/camera/layouts', own, office)).status).toBe(422);
    expect((await rig.rest('POST', '/camera/layouts', own, onlyYard)).status).toBe(201);
    expect((await rig.rest('GET', '/camera/layouts', undefined, office)).body).toMatchObject({
      items: [{ name: 'Night', tiles: [] }],
    });
  });
});

describe('settings of footage', () => {
  it('are read by who watches and changed by who manages the whole organisation, in the audit', async () => {
    const before = await rig.rest('GET', '/camera/settings', undefined, onlyYard);
    expect(before).toMatchObject({ status: 200, body: { reason_required: true } });
    const wanted = { ...(before.body as object), evidence_keep_days: 90 };
    const siteOnly: Grant[] = [{ permissions: ['camera.manage'], scope: `area:${yard}` }];
    expect((await rig.rest('PUT', '/camera/settings', wanted, siteOnly)).status).toBe(403);
    expect((await rig.rest('PUT', '/camera/settings', wanted)).status).toBe(200);
    await rig.restart();
    expect((await rig.rest('GET', '/camera/settings')).body).toEqual(wanted);
    await until(() => rig.core.audits.some(({ action }) => action === 'camera_settings.update'));
  });
});
