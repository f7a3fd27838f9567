/** The camera service on a real box: added through core's door, heard by core's rules, moved and removed with its device. */
import { call, setupAdmin, startBox, startFakeCamera, type Box, type FakeCamera } from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from './testing/rig.ts';

let box: Box;
let fake: FakeCamera;
let token: string;
let siteId: string;

beforeAll(async () => {
  box = await startBox({ services: ['camera'] });
  fake = await startFakeCamera();
  ({ token } = await setupAdmin(box));
  const sites = await call(box, 'listSites', { token });
  siteId = sites.items[0]?.id ?? '';
});
afterAll(async () => {
  await fake.stop();
  await box.stop();
});

/** Until the service hears core's feed, nobody is let in. */
const letIn = <T>(ask: () => Promise<T>): Promise<T> =>
  until(async () => {
    try {
      return await ask();
    } catch (error) {
      if ((error as { status?: number }).status === 503) return undefined;
      throw error;
    }
  });

describe('a camera on a real box', () => {
  it('is added with a device, its motion reaches core, and it goes when its device is deleted', async () => {
    const area = await call(box, 'createArea', {
      token,
      body: { site_id: siteId, name: 'Yard', parent_id: null },
    });
    await letIn(() => call(box, 'listCameras', { token }));
    const address = `${fake.host}:${fake.httpPort}`;
    const camera = await call(box, 'createCamera', {
      token,
      body: { name: 'Gate', area_id: area.id, address, credentials: fake.credentials },
    });
    expect(camera).toMatchObject({ name: 'Gate', area_name: 'Yard', serial: fake.serial });
    const device = await call(box, 'getDevice', { token, params: { id: camera.id } });
    expect(device).toMatchObject({ kind: 'camera', name: 'Gate', external_id: fake.serial });

    await until(() => (fake.subscriptions() > 0 ? true : undefined));
    fake.motion(true);
    fake.line();
    const types = async (): Promise<string[]> =>
      (await call(box, 'listEvents', { token })).items
        .filter((event) => event.device_id === camera.id)
        .map(({ type }) => type);
    await until(async () => ((await types()).includes('camera.line_crossed') ? true : undefined));
    expect(await types()).toEqual(
      expect.arrayContaining(['device.online', 'motion.started', 'camera.line_crossed']),
    );
    expect((await call(box, 'getDevice', { token, params: { id: camera.id } })).status).toBe('online');

    await call(box, 'updateDevice', { token, params: { id: camera.id }, body: { name: 'Gate north' } });
    await until(async () => {
      const { items } = await call(box, 'listCameras', { token });
      return items[0]?.name === 'Gate north' ? true : undefined;
    });
    expect((await call(box, 'listDeadLetters', { token })).items).toEqual([]);
    const audit = await call(box, 'listAudit', { token });
    expect(audit.items.map(({ action }) => action)).toContain('camera.create');
    expect(JSON.stringify(audit)).not.toContain(fake.credentials.password);

    await call(box, 'deleteDevice', { token, params: { id: camera.id } });
    await until(async () =>
      (await call(box, 'listCameras', { token })).items.length === 0 ? true : undefined,
    );
  });

  it('comes by CSV into areas by their names, and leaves no device behind', async () => {
    const csv = `name,area,address,username,password\nHall,yard,127.0.0.1:${fake.httpPort},${fake.credentials.username},${fake.credentials.password}\nX,Attic,10.0.0.9,,\n`;
    const preview = await call(box, 'previewCameraImport', { token, body: { csv, site_id: siteId } });
    expect(preview).toMatchObject({
      ok: 1,
      bad: 1,
      rows: [{ action: 'create' }, { errors: [{ column: 'area' }] }],
    });
    expect(await call(box, 'importCameras', { token, body: { csv, site_id: siteId } })).toMatchObject({
      ok: 1,
      bad: 1,
    });
    const [camera] = await until(async () => {
      const { items } = await call(box, 'listCameras', { token });
      return items[0]?.streams.length === 2 ? items : undefined;
    });
    expect(camera).toMatchObject({ name: 'Hall', serial: fake.serial });
    await call(box, 'deleteCamera', { token, params: { id: camera?.id ?? '' } });
    const devices = await call(box, 'listDevices', { token, query: { kind: 'camera' } });
    expect(devices.items).toEqual([]);
  });
});
