/** Cameras over REST, against fake cameras and a core for tests: finding, adding, changing, telling. */
import { createServer, type AddressInfo } from 'node:net';
import type { CameraPatch, Grant, ProbeReport } from '@siphera/contract';
import { startFakeCamera, type FakeCamera, type FakeCameraOptions } from '@siphera/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { createOnvifPart } from './onvif.part.ts';
import { stream } from './testing/evidence-rig.ts';
import {
  admin,
  allCameraPermissions,
  office,
  startRig,
  testOrg,
  testSite,
  until,
  yard,
  type Rig,
} from './testing/rig.ts';

let rig: Rig;
const fakes: FakeCamera[] = [];

beforeAll(async () => {
  rig = await startRig({
    parts: (ground, base) => [createOnvifPart(ground, base).part],
    env: { DISCOVERY_ADDRESSES: '127.0.0.1' },
  });
});
afterAll(() => rig.stop());
afterEach(async () => {
  for (const camera of rig.camera.ground.directory.all())
    await rig.rest('DELETE', `/camera/cameras/${camera.id}`);
  for (const camera of fakes.splice(0)) await camera.stop();
});

async function fake(options: FakeCameraOptions = {}): Promise<FakeCamera> {
  const camera = await startFakeCamera({ rtsp: false, ...options });
  fakes.push(camera);
  return camera;
}
const address = (camera: FakeCamera): string => `127.0.0.1:${camera.httpPort}`;
const input = (camera: FakeCamera, more: Record<string, unknown> = {}) => ({
  address: address(camera),
  credentials: camera.credentials,
  ...more,
});
const grant = (permissions: Grant['permissions'], scope: string): Grant[] => [{ permissions, scope }];
const eventsOf = (id: string, type?: string) =>
  rig.core.events.filter((event) => event.subject === id && (type === undefined || event.type === type));
const state = async (id: string) =>
  ((await rig.rest('GET', `/camera/cameras/${id}`)).body as { state: Record<string, unknown> }).state;

/** Takes requests and answers none until it is told to: RTSP then with a stream, all else by hanging up. */
async function holdingServer() {
  const waiting = new Set<() => void>();
  let isReleased = false;
  const sdp = 'v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n';
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (bytes: Buffer) => {
      const answer = (): void => {
        const rtsp = `RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: ${sdp.length}\r\n\r\n${sdp}`;
        socket.end(bytes.toString('latin1').startsWith('DESCRIBE') ? rtsp : '');
      };
      if (isReleased) {
        answer();
        return;
      }
      waiting.add(answer);
      socket.once('close', () => waiting.delete(answer));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    waiting: () => waiting.size,
    release: () => {
      isReleased = true;
      for (const answer of waiting) answer();
    },
    close: () => void server.close(),
  };
}

describe('the wizard', () => {
  it('says step by step what a camera is, and tries the credentials it was given', async () => {
    const camera = await fake({ clockOffsetMs: 3_600_000, profileT: true });
    const answer = await rig.rest('POST', '/camera/probe', {
      addresses: [address(camera), '127.0.0.1:1', 'rtsp://127.0.0.1:1/x'],
      credentials: [{ username: 'root', password: 'wrong' }, camera.credentials],
    });
    const [good, dead, rtsp] = (answer.body as { items: z.infer<typeof ProbeReport>[] }).items;
    expect(good).toMatchObject({
      ok: true,
      credentials_index: 1,
      serial: camera.serial,
      mac: camera.mac.toUpperCase(),
      profiles: expect.arrayContaining(['S', 'T']) as string[],
      main_profile: 'profile_main',
      sub_profile: 'profile_sub',
      has_ptz: true,
      relays: 1,
      inputs: 1,
      has_events: true,
      camera_id: null,
    });
    expect(good?.steps.find(({ name }) => name === 'clock')).toMatchObject({
      state: 'warning',
      // By whole seconds, and by when its answer came.
      detail: expect.stringMatching(/^Its clock is (35[89]|360)\d s ahead$/) as string,
    });
    expect(dead).toMatchObject({ ok: false, steps: [{ name: 'reach', state: 'failed' }] });
    expect(rtsp).toMatchObject({ ok: false, steps: [{ name: 'stream', state: 'failed' }] });
    expect(JSON.stringify(answer.body)).not.toContain(camera.credentials.password);
  });
});

describe('a camera', () => {
  it('is added with its device, watched for, never shown with its password, and removed with its device', async () => {
    const camera = await fake();
    const made = await rig.add(input(camera, { name: 'Gate', recording: { mode: 'motion' } }));
    expect(made).toMatchObject({
      name: 'Gate',
      area_name: 'Yard',
      serial: camera.serial,
      username: 'admin',
      password_set: true,
      has_ptz: true,
      recording: { mode: 'motion', keep_days: 30 },
    });
    expect(made.streams.map(({ role, width }) => [role, width])).toEqual([
      ['main', 640],
      ['sub', 320],
    ]);
    expect(rig.core.registry.devices.get(made.id)).toMatchObject({
      name: 'Gate',
      external_id: camera.serial,
    });
    await until(async () => (await state(made.id))['connection'] === 'online');
    await until(() => eventsOf(made.id, 'device.online').length === 1);
    const listing = await rig.rest('GET', '/camera/cameras');
    const everything =
      JSON.stringify([listing.body, made, rig.core.audits, rig.core.events]) + rig.log.join('');
    expect(everything).not.toContain(camera.credentials.password);

    const twice = await rig.rest('POST', '/camera/cameras', {
      ...input(camera),
      name: 'Again',
      area_id: yard,
    });
    expect(twice).toMatchObject({
      status: 409,
      body: { camera_id: made.id, detail: 'It is "Gate" already.' },
    });

    expect((await rig.rest('DELETE', `/camera/cameras/${made.id}`)).status).toBe(204);
    expect(rig.core.registry.devices.has(made.id)).toBe(false);
    expect((await rig.rest('GET', `/camera/cameras/${made.id}`)).status).toBe(404);
    await until(() => rig.core.audits.some((row) => row['action'] === 'camera.delete'));
  });

  it('that is not there, or takes no such password, is not added, and says why', async () => {
    const camera = await fake();
    const add = (more: Record<string, unknown>) =>
      rig.rest('POST', '/camera/cameras', { name: 'X', area_id: yard, ...input(camera, more) });
    expect(await add({ address: '127.0.0.1:1' })).toMatchObject({
      status: 503,
      body: { code: 'device_unavailable' },
    });
    expect(await add({ credentials: { username: 'admin', password: 'no' } })).toMatchObject({ status: 422 });
    expect(await add({ connection: 'rtsp' })).toMatchObject({ status: 422 });
    expect(await add({ area_id: '0192f000-0000-7000-8000-00000000dead' })).toMatchObject({ status: 404 });
    expect(rig.core.registry.devices.size).toBe(0);
  });

  it('is changed in part: what is absent stays, a wrong password is refused, many change alike or not at all', async () => {
    const [one, two] = [await fake(), await fake({ auth: 'digest' })];
    const first = await rig.add(input(one, { recording: { mode: 'continuous', keep_days: 90 } }));
    const second = await rig.add(input(two, { name: 'Two', area_id: office }));
    const patch = (id: string, body: z.input<typeof CameraPatch>) =>
      rig.rest('PATCH', `/camera/cameras/${id}`, body);
    expect(await patch(first.id, { recording: { mode: 'events' } })).toMatchObject({
      status: 200,
      body: { recording: { mode: 'events', keep_days: 90 }, revision: 2 },
    });
    expect(await patch(first.id, { credentials: { username: 'admin', password: 'no' } })).toMatchObject({
      status: 422,
    });
    expect(await patch(first.id, { address: address(two), credentials: two.credentials })).toMatchObject({
      status: 409,
    });
    expect(await patch(first.id, { sub_profile: null })).toMatchObject({
      status: 200,
      body: { streams: [{ role: 'main' }] },
    });
    const bulk = (grants?: Grant[]) =>
      rig.rest(
        'PATCH',
        '/camera/cameras',
        { ids: [first.id, second.id], patch: { motion_hold_ms: 5_000, enabled: false } },
        grants,
      );
    expect((await bulk(grant(allCameraPermissions, `area:${yard}`))).status).toBe(404);
    expect(rig.camera.ground.directory.get(first.id)?.motionHoldMs).toBe(60_000);
    expect(await bulk()).toMatchObject({
      status: 200,
      body: { items: [{ motion_hold_ms: 5_000, state: { connection: 'disabled' } }, { enabled: false }] },
    });
  });

  it('that is removed while it is asked stays removed, whatever it answers then', async () => {
    const held = await holdingServer();
    const at = `127.0.0.1:${held.port}`;
    const { registry } = rig.camera.base;
    const streams = [{ ...stream, url: `rtsp://${at}/main` }];
    // One that its link reads, and one that somebody changes.
    const read = rig.place({ streams });
    await until(() => (held.waiting() > 0 ? true : undefined));
    registry.remove(read.id);
    const changed = rig.place({
      streams: [],
      connection: 'onvif',
      address: at,
      onvifUrl: `http://${at}/onvif/device_service`,
      enabled: false,
    });
    await until(() => rig.camera.ground.directory.get(changed.id));
    const before = held.waiting();
    const answer = rig.rest('PATCH', `/camera/cameras/${changed.id}`, {
      credentials: { username: 'admin', password: 'another' },
    });
    await until(() => (held.waiting() > before ? true : undefined));
    registry.remove(changed.id);
    held.release();
    expect((await answer).status).toBe(404);
    await until(() => (held.waiting() === 0 ? true : undefined));
    expect(registry.rows()).toEqual([]);
    held.close();
    for (const { id } of [read, changed]) rig.core.registry.devices.delete(id);
  });

  it('whose device core has no more does not block that it is added again', async () => {
    const camera = await fake();
    const made = await rig.add(input(camera));
    rig.core.registry.devices.delete(made.id);
    const again = await rig.add(input(camera));
    expect(again.id).not.toBe(made.id);
    expect(rig.camera.base.registry.rows().map(({ id }) => id)).toEqual([again.id]);
  });

  it('is turned, switched and photographed by those who may, and nobody else', async () => {
    const camera = await fake();
    const { id } = await rig.add(input(camera));
    const path = `/camera/cameras/${id}`;
    const [viewer, other] = [
      grant(['camera.live'], `area:${yard}`),
      grant(allCameraPermissions, `area:${office}`),
    ];
    for (const [method, route, body] of [
      ['POST', '/ptz', { action: 'home' }],
      ['POST', '/clock', undefined],
      ['POST', '/presets', { name: 'P' }],
      ['DELETE', '/presets/x', undefined],
      ['POST', '/relays/x', { on: true }],
      ['PATCH', '', { enabled: false }],
      ['DELETE', '', undefined],
    ] as const) {
      expect([route, (await rig.rest(method, path + route, body, viewer)).status]).toEqual([route, 403]);
      expect([route, (await rig.rest(method, path + route, body, other)).status]).toEqual([route, 404]);
    }
    expect((await rig.rest('GET', path, undefined, other)).status).toBe(404);
    expect(
      ((await rig.rest('GET', '/camera/cameras', undefined, other)).body as { items: unknown[] }).items,
    ).toEqual([]);
    expect((await rig.rest('GET', path, undefined, viewer)).status).toBe(200);

    expect((await rig.rest('POST', `${path}/ptz`, { action: 'move', pan: 0.5, for_ms: 200 })).status).toBe(
      204,
    );
    await until(() => camera.ptzLog.length >= 2);
    const preset = await rig.rest('POST', `${path}/presets`, { name: 'Gate' });
    expect(preset.status).toBe(201);
    expect((await rig.rest('GET', `${path}/presets`, undefined, viewer)).body).toEqual({
      items: [preset.body],
    });
    const { token } = preset.body as { token: string };
    expect((await rig.rest('POST', `${path}/ptz`, { action: 'preset', preset: token })).status).toBe(204);
    expect((await rig.rest('DELETE', `${path}/presets/${token}`)).status).toBe(204);

    const ports = (await rig.rest('GET', `${path}/ports`)).body as {
      items: { token: string; kind: string }[];
    };
    expect(ports.items.map(({ kind }) => kind)).toEqual(['relay', 'input']);
    const relay = ports.items[0]?.token ?? '';
    expect((await rig.rest('POST', `${path}/relays/${relay}`, { on: true, reason: 'Light' })).status).toBe(
      204,
    );
    expect(camera.relayLog.at(-1)).toMatchObject({ token: relay });
    await until(
      async () =>
        ((await rig.rest('GET', `${path}/ports`)).body as { items: { on: unknown }[] }).items[0]?.on === true,
    );

    const picture = await rig.fetch('GET', `${path}/snapshot?width=160`, undefined, viewer);
    expect(picture.headers.get('content-type')).toBe('image/jpeg');
    expect(Buffer.from(await picture.arrayBuffer()).readUInt16BE(0)).toBe(0xff_d8);
    camera.setClockOffset(-7_200_000);
    expect((await rig.rest('POST', `${path}/clock`)).status).toBe(200);
    expect(Math.abs(camera.clockOffset())).toBeLessThan(60_000);
    await until(() => rig.core.audits.some((row) => row['action'] === 'camera.relay'));
  });
});

describe('a discovery', () => {
  it('finds cameras by multicast and in ranges, and knows those that the box has', async () => {
    const camera = await fake({ discovery: true });
    // A look lasts for a moment only: who answers later is found by the next.
    const found = () =>
      until(async () => {
        const ask = { ranges: ['127.0.0.1'], wait_ms: 800 };
        const { body } = await rig.rest('POST', '/camera/discovery', ask);
        const { items } = body as { items: Record<string, unknown>[] };
        return items.find((one) => one['endpoint'] === camera.urn);
      });
    expect(await found()).toMatchObject({
      address: address(camera),
      onvif_url: camera.deviceUrl,
      camera_id: null,
    });
    const { id } = await rig.add(input(camera));
    expect(await found()).toMatchObject({ camera_id: id });
    expect((await rig.rest('POST', '/camera/discovery', { ranges: ['10.0.0.0/8'] })).status).toBe(400);
  });
});

describe('a CSV', () => {
  it('is shown row by row before it is taken; good rows become cameras that are then reached, bad ones are named', async () => {
    const [one, two] = [await fake(), await fake()];
    const csv = [
      'name,area,address,rtsp_url,rtsp_sub_url,username,password,mode,keep_days',
      `Gate,Yard,${address(one)},,,${one.credentials.username},${one.credentials.password},motion,90`,
      `Hall,office,${address(two)},,,${two.credentials.username},${two.credentials.password},,unlimited`,
      'Stairs,Attic,10.0.0.9,,,,,,',
      `=cmd(),Yard,not an address,,,,,sometimes,0`,
      `Twice,Yard,${address(one)},,,,,,`,
      'Both,Yard,10.0.0.10,rtsp://10.0.0.10/x,,,,,',
      'Bad,Yard,,rtsp://user:pass@10.0.0.11/x,,,,,',
    ].join('\n');
    const body = { csv, site_id: testSite };
    const preview = await rig.rest('POST', '/camera/import/preview', body);
    expect(preview.body).toMatchObject({
      ok: 2,
      bad: 5,
      applied: false,
      rows: [
        { line: 2, action: 'create', name: 'Gate', errors: [] },
        { line: 3, action: 'create' },
        { line: 4, action: 'error', errors: [{ column: 'area' }] },
        {
          line: 5,
          errors: [{ column: 'name' }, { column: 'address' }, { column: 'mode' }, { column: 'keep_days' }],
        },
        { line: 6, errors: [{ column: 'address', message: 'Same as line 2' }] },
        { line: 7, errors: [{ column: 'rtsp_url' }] },
        { line: 8, errors: [{ column: 'rtsp_url' }] },
      ],
    });
    expect(rig.core.registry.devices.size).toBe(0);
    expect((await rig.rest('POST', '/camera/import', body)).body).toMatchObject({
      ok: 2,
      bad: 5,
      applied: true,
    });
    const all = () => rig.camera.ground.directory.all();
    expect(
      all()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['Gate', 'Hall']);
    await until(() => (all().every(({ streams }) => streams.length === 2) ? true : undefined));
    expect(all().find(({ name }) => name === 'Hall')?.recording).toMatchObject({
      mode: 'continuous',
      keep_days: null,
    });
    expect((await rig.rest('POST', '/camera/import/preview', body)).body).toMatchObject({ ok: 0, bad: 7 });
    expect(
      (await rig.rest('POST', '/camera/import/preview', body, grant(['camera.live'], `org:${testOrg}`)))
        .status,
    ).toBe(403);
    expect(admin).toHaveLength(1);
  });
});
