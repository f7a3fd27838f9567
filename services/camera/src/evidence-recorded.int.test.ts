/** Evidence from a camera that sends: real relay, real recorder, the whole service. An incident now, its clip, an export, a check. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EvidenceManifest, type CameraTimeline, type Export, type IncidentClip } from '@siphera/contract';
import { systemClock, systemRandom, toRfc3339 } from '@siphera/runtime';
import {
  readPictureClock,
  startFakeCamera,
  startRtspServer,
  type FakeCamera,
  type FakeRtspServer,
} from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { incidentOf } from './testing/evidence-rig.ts';
import { place, probe } from './testing/recording-kit.ts';
import { startRig, testOrg, until, type Rig } from './testing/rig.ts';

const width = 640;
const height = 360;
let rtsp: FakeRtspServer;
let camera: FakeCamera;
let rig: Rig;
let id: string;

beforeAll(async () => {
  rtsp = await startRtspServer();
  camera = await startFakeCamera({
    rtsp,
    name: 'gate',
    sub: false,
    main: { width, height, fps: 10, gopSeconds: 4 },
  });
  rig = await startRig();
  const settings = {
    reason_required: true,
    evidence_before_ms: 5_000,
    evidence_after_ms: 5_000,
    evidence_keep_days: 30,
    transcodes_max: 1,
  };
  expect((await rig.rest('PUT', '/camera/settings', settings)).status).toBe(200);
  id = place(rig, camera, { name: 'Gate' });
  // More than the clips begin before their incidents.
  await until(async () => {
    const range = `from=${toRfc3339(systemClock.now() - 600_000)}&to=${toRfc3339(systemClock.now() + 60_000)}`;
    const { body } = await rig.rest('GET', `/camera/cameras/${id}/timeline?${range}`);
    return (body as Partial<CameraTimeline>).footage?.some(
      ({ from, to }) => Date.parse(to) - Date.parse(from) > 8_000,
    );
  });
});
afterAll(async () => {
  await rig.stop();
  await camera.stop();
  await rtsp.stop();
});

const tell = (kind: 'incident' | 'command', data: { id: string }): void =>
  rig.core.tell({
    kind,
    action: 'created',
    id: data.id,
    audience: 'incident.read',
    scopes: [`org:${testOrg}`],
    data,
  });
const lines = () => rig.core.evidence as { text: string; data: { state: string } }[];

const clockIn = (picture: Buffer | undefined): number => {
  const raw = ['-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1'];
  const data = execFileSync('ffmpeg', ['-nostdin', '-v', 'error', '-i', 'pipe:0', ...raw], {
    input: picture ?? '',
  });
  return readPictureClock({ data, width, height, channels: 1 }) ?? 0;
};

describe('an incident at a camera that is recorded', () => {
  it('has three stills, and its clip when its time is over', async () => {
    const atMs = systemClock.now();
    const incident = incidentOf(atMs, {});
    tell('incident', incident);
    await until(() => lines().length === 1);
    expect(lines()[0]?.text).toContain('3 stills');
    const clip = await until(async () => {
      const { body } = await rig.rest('GET', `/camera/incidents/${incident.id}/evidence`);
      return (body as { items: IncidentClip[] }).items.find(({ state }) => state !== 'pending');
    });
    expect(clip).toMatchObject({ state: 'ready', problem: null });
    const pictures = await Promise.all(
      clip.stills.map(async (still) =>
        Buffer.from(await (await rig.fetch('GET', `/camera/stills/${still.id}`)).arrayBuffer()),
      ),
    );
    expect(pictures.map((picture) => probe(picture).codec)).toEqual(['mjpeg', 'mjpeg', 'mjpeg']);
    expect(new Set(pictures.map((picture) => picture.toString('base64'))).size).toBe(3);
    // Each shows the moment it stands for, by the clock that the camera draws into its picture; all came as late as it sends.
    const late = clip.stills.map(({ at }, index) => Date.parse(at) - clockIn(pictures[index]));
    expect(Math.max(...late) - Math.min(...late)).toBeLessThan(500);
    expect(Math.min(...late)).toBeGreaterThan(-500);
    expect(Math.max(...late)).toBeLessThan(10_000);
  });

  it('is exported as it was recorded, and anybody can check that', async () => {
    const now = systemClock.now();
    const answer = await rig.rest('POST', '/camera/exports', {
      camera_ids: [id],
      from: toRfc3339(now - 10_000),
      to: toRfc3339(now - 1_000),
      reason: 'Somebody climbed over',
    });
    expect(answer.status).toBe(202);
    const done = await until(async () => {
      const { body } = await rig.rest('GET', `/camera/exports/${(answer.body as Export).id}`);
      return (body as Export).state === 'running' ? undefined : (body as Export);
    });
    expect(done).toMatchObject({ state: 'ready', problem: null });
    const file = join(rig.directory, 'export.zip');
    const got = await rig.fetch('GET', `/camera/exports/${done.id}/file`);
    writeFileSync(file, Buffer.from(await got.arrayBuffer()));
    const folder = join(rig.directory, 'unpacked');
    mkdirSync(folder);
    execFileSync('unzip', ['-q', file, '-d', folder]);
    const manifest = EvidenceManifest.parse(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));
    const [one] = manifest.files;
    expect(manifest.files).toHaveLength(1);
    const { codec, frames } = probe(readFileSync(join(folder, one?.path ?? '')));
    expect(codec).toBe('h264');
    const seconds = (Date.parse(one?.to.utc ?? '') - Date.parse(one?.from.utc ?? '')) / 1_000;
    // A camera on a busy machine may send fewer; that none is lost of what was recorded is proved on footage of known length.
    expect(frames).toBeGreaterThan(seconds * 5);
    expect(frames).toBeLessThan(seconds * 10 + 10);
    // It begins with the key frame before, at most one distance of key frames earlier.
    expect(now - 10_000 - Date.parse(one?.from.utc ?? '')).toBeGreaterThanOrEqual(0);
    expect(now - 10_000 - Date.parse(one?.from.utc ?? '')).toBeLessThan(4_500);
    const main = join(import.meta.dirname, '../../../scripts/src/siphera/main.ts');
    const key = join(rig.directory, 'data', 'evidence-public.pem');
    const words = execFileSync(process.execPath, [main, 'verify-evidence', file, '--key', key], {
      encoding: 'utf8',
    });
    expect(words).toContain('GENUINE');
  });

  it('can be commanded: a picture of now, and footage that is kept', async () => {
    const command = (name: string, args: Record<string, unknown>) => ({
      id: systemRandom.uuid(),
      org_id: testOrg,
      device_id: id,
      device_name: 'Gate',
      name,
      args,
      state: 'pending',
      requested_by: 'Ada Admin',
      created_at: toRfc3339(systemClock.now()),
    });
    const commands = [
      command('record', { seconds: 5 }),
      command('snapshot', {}),
      command('goto_preset', { preset: '1' }),
    ];
    for (const one of commands) tell('command', one);
    const results = await until(() => {
      const all = rig.core.commandResults as { id: string; ok: boolean; error?: string }[];
      return all.length === 3 ? commands.map((one) => all.find((result) => result.id === one.id)) : undefined;
    });
    expect(results).toMatchObject([
      { ok: true },
      { ok: true },
      { ok: false, error: expect.stringMatching(/no preset|turned|ONVIF/) as string },
    ]);
  });
});
