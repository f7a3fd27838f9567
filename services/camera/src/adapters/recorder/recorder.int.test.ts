/** Recording from a camera that sends, through everything that happens to cameras, services and disks. */
import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startFakeCamera, startRtspServer, type FakeCamera, type FakeRtspServer } from '@siphera/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RecordingPolicy, type Camera } from '@siphera/contract';
import { createRecording, type Recording } from '../../recording.part.ts';
import type { Part } from '../../part.ts';
import type { CameraRow } from '../../domain/camera-row.ts';
import { startRig, until, type Rig } from '../../testing/rig.ts';

let rtsp: FakeRtspServer;
let camera: FakeCamera;
let rig: Rig;
let recording: Recording;

beforeAll(async () => {
  rtsp = await startRtspServer();
});
afterAll(() => rtsp.stop());
beforeEach(async () => {
  camera = await startFakeCamera({ rtsp, name: 'gate', main: { fps: 10, gopSeconds: 1 }, sub: false });
});
afterEach(async () => {
  await rig.stop();
  await camera.stop();
});

const start = (): Promise<Rig> =>
  startRig({
    parts: (ground): Part[] => {
      recording = createRecording(ground);
      return [recording.part];
    },
  });

const stream = (url: string): CameraRow['streams'][number] => ({
  role: 'main',
  url,
  profile_token: null,
  video: null,
  audio: null,
  width: null,
  height: null,
  fps: null,
  bitrate_bps: null,
});

/** Puts the fake camera into the service. */
function place(policy: Partial<RecordingPolicy> = {}): string {
  const { id } = rig.place({
    streams: [stream(camera.rtspUrl('main', { credentials: false }))],
    credentials: camera.credentials,
    recording: RecordingPolicy.parse(policy),
  });
  return id;
}

const recorded = (id: string): number =>
  recording.recorder.footage
    .segments(id, 0, Number.MAX_SAFE_INTEGER)
    .reduce((sum, one) => sum + one.toMs - one.fromMs, 0);

async function bytesOf(id: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of recording.recorder.footage.open(id)) parts.push(part);
  return Buffer.concat(parts);
}

/** What ffprobe reads in it: [codec, pictures]. */
function probe(bytes: Buffer): { codec: string; frames: number } {
  const out = execFileSync(
    'ffprobe',
    [
      '-v',
      'error',
      '-count_packets',
      '-select_streams',
      'v',
      '-show_entries',
      'stream=codec_name,nb_read_packets',
      '-of',
      'csv=p=0',
      '-',
    ],
    { input: bytes, encoding: 'utf8' },
  );
  const [codec = '', frames = '0'] = out.trim().split(',');
  return { codec, frames: Number(frames) };
}

describe('recording', () => {
  it('writes what comes, and what grows can be listed and read', async () => {
    rig = await start();
    const id = place();
    await until(() => recorded(id) > 2_000, 20_000);
    const [segment] = recording.recorder.footage.segments(id, 0, Number.MAX_SAFE_INTEGER);
    const { codec, frames } = probe(await bytesOf(segment!.id));
    expect(codec).toBe('h264');
    expect(frames).toBeGreaterThan(15);
    expect(rig.camera.base.states.get(id)).toMatchObject({ connection: 'online' });
  });
});
