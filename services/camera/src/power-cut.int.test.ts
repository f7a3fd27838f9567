/** What a power cut costs: real cameras, a file system that forgets what was not durable, the database as it stood at that moment. */
import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '@siphera/runtime';
import { startFakeCamera, startRtspServer, type FakeCamera, type FakeRtspServer } from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PowerCutFiles } from './testing/power-cut-files.ts';
import { place, probe } from './testing/recording-kit.ts';
import { startRecordingRig, type RecordingRig } from './testing/recording-rig.ts';
import { until } from './testing/rig.ts';

const camerasCount = 3;
/** Each at another phase of a fragment's half second. */
const cuts = 5;
const phaseMs = 110;
const lostMsMax = 1_000;

let rtsp: FakeRtspServer;
let cameras: FakeCamera[];
let box: RecordingRig;
const power = new PowerCutFiles();

beforeAll(async () => {
  rtsp = await startRtspServer();
  const main = { fps: 10, gopSeconds: 2 } as const;
  const numbers = Array.from({ length: camerasCount }, (_, index) => index);
  cameras = await Promise.all(
    numbers.map((number) => startFakeCamera({ rtsp, name: `gate-${number}`, main, sub: false })),
  );
  box = await startRecordingRig({ files: power.files });
});
afterAll(async () => {
  await box.rig.stop();
  for (const camera of cameras) await camera.stop();
  await rtsp.stop();
});

/** The database at the moment of the cut; it commits with fsync, so all that it has said is durable. */
function database(from: 'camera.db' | 'kept.db', to: 'camera.db' | 'kept.db'): void {
  const directory = join(box.rig.directory, 'data');
  for (const end of ['', '-wal']) {
    const [source, target] = [join(directory, from + end), join(directory, to + end)];
    rmSync(target, { force: true });
    if (existsSync(source)) copyFileSync(source, target);
  }
  rmSync(join(directory, `${to}-shm`), { force: true });
}

async function bytesOf(id: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of box.recording().recorder.footage.open(id)) parts.push(part);
  return Buffer.concat(parts);
}

/** Where what has come of each camera ends, from now on. */
function listen(ids: readonly string[]): Map<string, number> {
  const ends = new Map<string, number>();
  for (const cameraId of ids)
    box.recording().streams.listen(
      { cameraId, role: 'main' },
      {
        init: () => undefined,
        fragment: ({ startMs, durationMs }) => void ends.set(cameraId, startMs + durationMs),
        lost: () => undefined,
      },
    );
  return ends;
}

describe('a power cut', () => {
  it('costs at most a second of each camera, and leaves a list in which every segment plays', async () => {
    const ids = cameras.map((camera) => place(box.rig, camera));
    const lost: number[] = [];
    for (let round = 0; round < cuts; round += 1) {
      const beganMs = systemClock.now();
      const comes = listen(ids);
      await until(() => ids.every((id) => (box.segments(id).at(-1)?.toMs ?? 0) > beganMs + 1_500));
      await new Promise((resolve) => setTimeout(resolve, round * phaseMs));
      power.cut();
      const cutMs = systemClock.now();
      const came = new Map(comes);
      database('camera.db', 'kept.db');
      await box.rig.halt();
      power.forget();
      database('kept.db', 'camera.db');
      await box.rig.restart();
      for (const id of ids) {
        const before = box.segments(id).filter((segment) => segment.fromMs < cutMs);
        // Of what the camera had sent by then: a busy machine may be late with that.
        lost.push((came.get(id) ?? cutMs) - Math.max(...before.map(({ toMs }) => toMs)));
        for (const segment of before) expect(probe(await bytesOf(segment.id)).frames).toBeGreaterThan(0);
      }
    }
    expect(lost).toHaveLength(camerasCount * cuts);
    expect(Math.max(...lost)).toBeLessThan(lostMsMax);
    expect(Math.min(...lost)).toBeGreaterThan(-250);
  });
});
