/** The base of the service: cameras joined with core's registry, the outbox, the feed, a start without core. */
import { afterEach, describe, expect, it } from 'vitest';
import { office, startRig, testOrg, until, yard, type Rig } from './testing/rig.ts';

let rig: Rig;
afterEach(() => rig.stop());

const stream = {
  role: 'main',
  url: 'rtsp://10.0.0.9/main',
  profile_token: null,
  video: 'h264',
  audio: null,
  width: 640,
  height: 360,
  fps: 10,
  bitrate_bps: null,
} as const;
const event = (id: string) => ({
  specversion: '1.0' as const,
  id,
  source: 'camera/test',
  type: 'device.online',
  data: {},
});

describe('the cameras', () => {
  it('take name, place and scopes from core, follow its changes, and go when their device is deleted', async () => {
    rig = await startRig({ parts: () => [] });
    const { id } = rig.place(
      { streams: [stream], credentials: { username: 'ad:min', password: 'p@ss/w' } },
      'Gate',
    );
    const camera = await until(() => rig.camera.ground.directory.get(id));
    expect(camera).toMatchObject({
      name: 'Gate',
      areaName: 'Yard',
      orgId: testOrg,
      timeZone: 'Europe/Vienna',
    });
    expect(camera.scopes).toContain(`area:${yard}`);
    expect(camera.streams[0]?.secretUrl).toBe('rtsp://ad%3Amin:p%40ss%2Fw@10.0.0.9/main');

    const signals: unknown[] = [];
    rig.camera.ground.signals.on((signal) => void signals.push(signal));
    rig.core.registry.change(id, { name: 'Gate north', area_id: office, area_name: 'Office' });
    await until(() => rig.camera.ground.directory.get(id)?.areaName === 'Office');
    rig.core.registry.remove({
      actor: {
        kind: 'user',
        id: 'u',
        name: 'U',
        org_id: testOrg,
        grants: [{ permissions: ['registry.write'], scope: `org:${testOrg}` }],
        address: '',
      },
      device_id: id,
    });
    await until(() => rig.camera.ground.directory.get(id) === undefined);
    expect(signals).toMatchObject([{ change: 'changed' }, { change: 'removed' }]);
    expect(rig.camera.base.registry.rows()).toEqual([]);
  });

  it('are known after a restart without core; nobody is let in, and their passwords are sealed', async () => {
    rig = await startRig({ parts: () => [] });
    const { id } = rig.place(
      { streams: [stream], credentials: { username: 'admin', password: 'hunter22' } },
      'Gate',
    );
    await until(() => rig.camera.ground.directory.get(id));
    await rig.halt();
    await rig.core.stop();
    const again = rig.restart();
    await until(() => rig.log.some((line) => line.includes('core_not_there_yet')));
    await rig.core.start();
    await again;
    expect(rig.camera.ground.directory.get(id)?.credentials?.password).toBe('hunter22');
    expect(rig.log.join('')).not.toContain('hunter22');
    rig.camera.ground.db.pragma('wal_checkpoint(TRUNCATE)');
    const sealed = rig.camera.ground.db
      .prepare('SELECT password_sealed FROM cameras')
      .pluck()
      .get() as Buffer;
    expect(sealed.toString('latin1')).not.toContain('hunter22');
  });
});

describe('the outbox', () => {
  it('keeps what happens while core is away, in order, and brings it once', async () => {
    rig = await startRig({ parts: () => [] });
    await rig.core.stop();
    const { outbox } = rig.camera.ground;
    for (let index = 0; index < 700; index += 1) outbox.event(event(`e${index}`));
    outbox.audit({
      actor: { kind: 'user', id: 'u', name: 'U' },
      org_id: testOrg,
      action: 'x',
      target: 'y',
      detail: {},
    });
    outbox.event(event('last'));
    await rig.core.start();
    await until(() => rig.core.events.length === 701);
    expect(rig.core.events.map(({ id }) => id)).toEqual([
      ...Array.from({ length: 700 }, (_, index) => `e${index}`),
      'last',
    ]);
    expect(rig.core.batches.length).toBeLessThan(6);
    expect(rig.core.audits).toHaveLength(1);
  });

  it('puts aside what core will never take, with the reason, and goes on', async () => {
    rig = await startRig({ parts: () => [] });
    rig.camera.ground.outbox.post('/internal/v1/nothing', {});
    rig.camera.ground.outbox.event(event('after'));
    // An answer without a problem document counts as core being away; with one, as its word.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(rig.core.events).toEqual([]);
    rig.core.unknownPathCode = 'not_found';
    await until(() => rig.core.events.length === 1);
    // The row of the event goes when core's answer is here, a moment after core has the event.
    const rows = () => rig.camera.ground.db.prepare('SELECT path, refused FROM outbox').all();
    await until(() => rows().length === 1);
    expect(rows()).toMatchObject([
      { path: '/internal/v1/nothing', refused: expect.stringContaining('not_found') as string },
    ]);
  });
});
