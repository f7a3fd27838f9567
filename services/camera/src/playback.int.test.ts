/** Playing back over REST, and storages: what a person is asked for, sees and may not see. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { CameraTimeline, Grant, Segment } from '@siphera/contract';
import { startFakeCamera, startRtspServer, type FakeCamera, type FakeRtspServer } from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { place, probe } from './testing/recording-kit.ts';
import { office, startRig, testOrg, until, yard, type Rig } from './testing/rig.ts';

let rtsp: FakeRtspServer;
let camera: FakeCamera;
let rig: Rig;
let id: string;
let session: string;
const range = (): string =>
  `from=${new Date(Date.now() - 600_000).toISOString()}&to=${new Date(Date.now() + 60_000).toISOString()}`;
const segments = async (): Promise<Segment[]> => {
  const { body } = await rig.rest('GET', `/camera/cameras/${id}/segments?${range()}&session=${session}`);
  return (body as { items: Segment[] }).items;
};

beforeAll(async () => {
  rtsp = await startRtspServer();
  camera = await startFakeCamera({ rtsp, name: 'gate', main: { fps: 10, gopSeconds: 1 }, sub: false });
  rig = await startRig();
  id = place(rig, camera);
  await until(() => rig.camera.ground.directory.get(id)?.scopes.length);
  const opened = await rig.rest('POST', '/camera/playback-sessions', {
    camera_ids: [id],
    reason: 'A parcel is missing',
  });
  expect(opened.status).toBe(201);
  session = (opened.body as { id: string }).id;
  await until(async () =>
    (await segments()).some((one) => Date.parse(one.to) - Date.parse(one.from) > 3_000),
  );
});
afterAll(async () => {
  await rig.stop();
  await camera.stop();
  await rtsp.stop();
});

describe('playback', () => {
  it('asks why, and puts who, what and why into the audit log', async () => {
    const refused = await rig.rest('POST', '/camera/playback-sessions', { camera_ids: [id], reason: ' ' });
    expect(refused.status).toBe(400);
    await until(() => rig.core.audits.some((row) => row['action'] === 'footage.play'));
    const row = rig.core.audits.find((one) => one['action'] === 'footage.play');
    expect(row).toMatchObject({ target: `camera:${id}`, detail: { session, reason: 'A parcel is missing' } });
  });

  it('gives segments whole, from a key frame on, and made playable', async () => {
    const [segment] = await segments();
    expect(segment).toMatchObject({ playable: true });
    const read = async (more: string): Promise<Buffer> => {
      const response = await rig.fetch(
        'GET',
        `/camera/cameras/${id}/segments/${segment!.id}?session=${session}${more}`,
      );
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('video/mp4');
      return Buffer.from(await response.arrayBuffer());
    };
    const whole = probe(await read(''));
    const later = probe(await read(`&from=${new Date(Date.parse(segment!.from) + 2_200).toISOString()}`));
    expect(later.frames).toBeGreaterThan(0);
    expect(whole.frames - later.frames).toBeGreaterThanOrEqual(15);
    expect(probe(await read('&transcode=1'))).toMatchObject({ codec: 'h264' });
  });

  it('shows a small picture of a moment, and the timeline', async () => {
    const [segment] = await segments();
    const at = new Date(Date.parse(segment!.from) + 1_500).toISOString();
    const url = `/camera/cameras/${id}/thumbnail?session=${session}&at=${at}&width=160`;
    const answers = await Promise.all([rig.fetch('GET', url), rig.fetch('GET', url)]);
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      const jpeg = Buffer.from(await answer.arrayBuffer());
      expect(jpeg.subarray(0, 2).toString('hex')).toBe('ffd8');
    }
    const nothing = new Date(Date.now() - 500_000).toISOString();
    expect((await rig.fetch('GET', url.replace(at, nothing))).status).toBe(404);
    const { body } = await rig.rest('GET', `/camera/cameras/${id}/timeline?${range()}`);
    const timeline = body as CameraTimeline;
    expect(timeline.footage).toHaveLength(1);
    expect(timeline.first_at).toBe(segment!.from);
  });

  it('is refused without the permission, without a session, and with somebody else’s', async () => {
    const grants: Grant[] = [{ permissions: ['camera.live'], scope: `area:${office}` }];
    const url = `/camera/cameras/${id}/segments?${range()}&session=`;
    expect((await rig.rest('GET', url + session, undefined, grants)).status).toBe(403);
    const other: Grant[] = [{ permissions: ['camera.playback'], scope: `area:${office}` }];
    expect((await rig.rest('GET', url + session, undefined, other)).status).toBe(404);
    expect((await rig.rest('GET', `${url}0192f000-0000-7000-8000-00000000ffff`)).status).toBe(403);
    const foreign = place(rig, camera, { name: 'Second' });
    await until(() => rig.camera.ground.directory.get(foreign)?.scopes.length);
    const second = `/camera/cameras/${foreign}/segments?${range()}&session=${session}`;
    expect((await rig.rest('GET', second)).status).toBe(403);
    const [segment] = await segments();
    const stolen = await rig.rest('POST', '/camera/playback-sessions', {
      camera_ids: [foreign],
      reason: 'x',
    });
    const stolenId = (stolen.body as { id: string }).id;
    const path = `/camera/cameras/${foreign}/segments/${segment!.id}?session=${stolenId}`;
    expect((await rig.rest('GET', path)).status).toBe(404);
  });
});

describe('storages', () => {
  it('are empty directories below the allowed roots, whatever the path says', async () => {
    const add = async (path: string): Promise<number> =>
      (await rig.rest('POST', '/camera/storages', { name: 'More', path })).status;
    const inside = join(rig.directory, 'more');
    symlinkSync('/etc', join(rig.directory, 'way-out'));
    mkdirSync(join(rig.directory, 'full', 'of-things'), { recursive: true });
    expect(await add('/etc/siphera-footage')).toBe(400);
    expect(await add(join(rig.directory, 'way-out', 'x'))).toBe(400);
    expect(await add(`${rig.directory}/a/../../b`)).toBe(400);
    expect(await add(join(rig.directory, 'full'))).toBe(409);
    expect(await add(join(rig.directory, 'footage', 'inner'))).toBe(409);
    expect(await add(inside)).toBe(201);
    const { body } = await rig.rest('GET', '/camera/storages');
    const { items, forecast } = body as {
      items: { id: string; path: string; state: string }[];
      forecast: unknown;
    };
    expect(items).toHaveLength(2);
    expect(forecast).toHaveProperty('room_bytes');
    const made = items.find((item) => item.path === inside);
    expect(made?.state).toBe('ok');
    const more = await rig.rest('POST', '/camera/forecast', { bitrates_bps: [4_000_000], hours_per_day: 12 });
    expect((more.body as { bytes_per_day: number }).bytes_per_day).toBeGreaterThanOrEqual(21_600_000_000);
    expect((await rig.rest('DELETE', `/camera/storages/${made?.id ?? ''}`)).status).toBe(204);
  });
});

it('plays what a camera that was removed left, to those who may on the whole organisation', async () => {
  expect((await rig.rest('DELETE', `/camera/cameras/${id}`)).status).toBe(204);
  expect(JSON.stringify((await rig.rest('GET', '/camera/cameras')).body)).not.toContain(id);
  const timeline = (grants?: Grant[]) =>
    rig.rest('GET', `/camera/cameras/${id}/timeline?${range()}`, undefined, grants);
  expect((await timeline([{ permissions: ['camera.playback'], scope: `area:${yard}` }])).status).toBe(404);
  expect((await timeline([{ permissions: ['camera.live'], scope: `org:${testOrg}` }])).status).toBe(403);
  expect((await timeline()).body).toMatchObject({ camera_id: id, footage: [{}] });
  const opened = await rig.rest('POST', '/camera/playback-sessions', { camera_ids: [id], reason: 'A swap' });
  session = (opened.body as { id: string }).id;
  const [segment] = await segments();
  const path = `/camera/cameras/${id}/segments/${segment!.id}?session=${session}`;
  expect((await rig.fetch('GET', path)).status).toBe(200);
  const away = await rig.rest('POST', '/camera/playback-sessions', { camera_ids: [id], reason: 'A swap' }, [
    { permissions: ['camera.playback'], scope: `area:${office}` },
  ]);
  expect(away.status).toBe(404);
});
