/** Recording from a camera that sends, through everything that happens to cameras, services and disks. */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordingPolicy } from '@siphera/contract';
import { openDatabase } from '@siphera/runtime';
import { startFakeCamera, startRtspServer, type FakeCamera, type FakeRtspServer } from '@siphera/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Part } from '../../part.ts';
import { createRecording, type Recording } from '../../recording.part.ts';
import { place, probe } from '../../testing/recording-kit.ts';
import { startRig, until, type Rig, type RigOptions } from '../../testing/rig.ts';
import { realFiles, type Files } from './files.ts';
import { identityFile } from './storages.ts';

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

const start = async (options: RigOptions & { files?: Files } = {}): Promise<void> => {
  rig = await startRig({
    ...options,
    parts: (ground): Part[] => {
      recording = createRecording(ground, options.files);
      return [recording.part];
    },
  });
};

const segments = (id: string) => recording.recorder.footage.segments(id, 0, Number.MAX_SAFE_INTEGER);
const recordedMs = (id: string): number => segments(id).reduce((sum, one) => sum + one.toMs - one.fromMs, 0);

async function bytesOf(id: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of recording.recorder.footage.open(id)) parts.push(part);
  return Buffer.concat(parts);
}

const eventTypes = (): string[] => rig.core.events.map((event) => event.type);

describe('recording', () => {
  it('writes what comes, and what grows can be listed, read and shown', async () => {
    await start();
    const id = place(rig, camera);
    await until(() => recordedMs(id) > 2_000);
    const [segment] = segments(id);
    const { codec, frames } = probe(await bytesOf(segment!.id));
    expect(codec).toBe('h264');
    expect(frames).toBeGreaterThan(15);
    expect(rig.camera.base.states.get(id)).toMatchObject({ connection: 'online', problem: null });
    const key = await recording.recorder.footage.keyframeAt(id, segment!.fromMs + 1_500);
    expect(key!.atMs).toBeGreaterThan(segment!.fromMs);
    expect(probe(key!.bytes).frames).toBeGreaterThan(0);
    // The password stands in no line of the log.
    expect(rig.log.join('\n')).not.toContain(camera.credentials.password);
  });

  it('joins segments to one run whose decode times go on, and reads a clip from the key frame before', async () => {
    await start();
    const id = place(rig, camera);
    await until(() => recordedMs(id) > 4_000);
    const [first] = segments(id);
    const from = first!.fromMs + 1_700;
    const runs = recording.recorder.footage.runs(id, from, from + 1_000);
    expect(runs).toHaveLength(1);
    expect(runs[0]!.fromMs).toBeLessThanOrEqual(from);
    expect(from - runs[0]!.fromMs).toBeLessThan(1_100);
    const parts: Buffer[] = [];
    for await (const part of recording.recorder.footage.read(runs[0]!)) parts.push(part);
    expect(probe(Buffer.concat(parts)).frames).toBeGreaterThanOrEqual(10);
  });

  it('is back after the camera rebooted, and the gap has a reason', async () => {
    await start();
    const id = place(rig, camera);
    await until(() => recordedMs(id) > 1_000);
    await camera.reboot({ downMs: 4_000 });
    const before = segments(id).length;
    await until(() => segments(id).length > before);
    await until(() => recording.recorder.footage.gaps(id, 0, Number.MAX_SAFE_INTEGER).length > 0);
    const [gap] = recording.recorder.footage.gaps(id, 0, Number.MAX_SAFE_INTEGER);
    expect(gap!.why).not.toBe('');
    expect(gap!.toMs - gap!.fromMs).toBeGreaterThan(2_000);
  });

  it('says what is wrong when the password is, and comes back when it is right', async () => {
    await start();
    const right = camera.credentials;
    const id = place(rig, camera, { credentials: { ...right, password: 'wrong' } });
    await until(() => rig.camera.base.states.get(id).connection === 'unauthorised');
    expect(rig.camera.base.states.get(id).problem).toContain('user name or password');
    const { base } = rig.camera;
    base.registry.save({ ...base.registry.row(id)!, credentials: right });
    await until(() => recordedMs(id) > 500);
  });
});

describe('a service that dies', () => {
  it('finds its torn file again, cuts its tail and loses nothing that was durable', async () => {
    await start();
    const id = place(rig, camera);
    await until(() => recordedMs(id) > 2_000);
    const row = rig.camera.ground.db
      .prepare<[], { id: number; file: string }>('SELECT id, file FROM segments WHERE to_ms IS NULL')
      .get()!;
    await rig.halt();
    const path = join(rig.directory, 'footage', row.file);
    const whole = readFileSync(path);
    const frames = probe(whole).frames;
    // As a kill leaves it: the row open, half a fragment behind the last whole one.
    writeFileSync(
      path,
      Buffer.concat([whole, Buffer.from([0, 0, 4, 0]), Buffer.from('moof'), Buffer.alloc(99)]),
    );
    const db = openDatabase(join(rig.directory, 'data', 'camera.db'));
    db.prepare("UPDATE segments SET to_ms = NULL, bytes = 0, fragments = x'' WHERE id = ?").run(row.id);
    db.close();
    await rig.restart();
    const found = segments(id).find((one) => one.id === row.id)!;
    expect(found.bytes).toBe(whole.length);
    const bytes = await bytesOf(row.id);
    expect(bytes.equals(whole)).toBe(true);
    expect(probe(bytes).frames).toBe(frames);
    expect(readFileSync(path).length).toBe(whole.length);
  });

  it('takes in files without rows, drops rows without files, removes what holds nothing', async () => {
    await start();
    const id = place(rig, camera);
    await until(() => recordedMs(id) > 1_500);
    await rig.halt();
    const db = openDatabase(join(rig.directory, 'data', 'camera.db'));
    const row = db.prepare('SELECT * FROM segments').get() as Record<string, unknown> & { file: string };
    const footage = join(rig.directory, 'footage');
    const bytes = readFileSync(join(footage, row.file));
    // A row of a file that is gone, a file that has no row, and one that holds no footage.
    const older = row.file.replace(/\d+-1\.mp4$/, `${String(Number(row['from_ms']) - 60_000)}-1.mp4`);
    const empty = older.replace('-1.mp4', '-2.mp4');
    renameSync(join(footage, row.file), join(footage, older));
    writeFileSync(join(footage, empty), bytes.subarray(0, 500));
    db.close();
    await rig.restart();
    await until(() => rig.log.filter((line) => line.includes('footage_compared')).length > 1);
    await recording.recorder.retention.sweep();
    const all = segments(id);
    expect(all.some((one) => one.fromMs === Number(row['from_ms']) - 60_000)).toBe(true);
    expect(all.some((one) => one.fromMs === Number(row['from_ms']))).toBe(false);
    expect(rig.log.some((line) => line.includes('footage_without_file'))).toBe(true);
    expect(() => readFileSync(join(footage, empty))).toThrow(/ENOENT/);
  });
});

describe('disks', () => {
  it('writes nothing to a disk that is not the one it knew, says so, and goes on when it is back', async () => {
    await start();
    const id = place(rig, camera);
    await until(() => recordedMs(id) > 1_000);
    const footage = join(rig.directory, 'footage');
    // Another disk under the same path.
    renameSync(footage, `${footage}.away`);
    mkdirSync(footage);
    await until(() => eventTypes().includes('camera.storage_failed'));
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(recording.recorder.storages.all()[0]!.trouble?.state).toBe('missing');
    expect(execFileSync('find', [footage, '-type', 'f'], { encoding: 'utf8' })).toBe('');
    rmSync(footage, { recursive: true });
    renameSync(`${footage}.away`, footage);
    const before = segments(id).length;
    await until(() => segments(id).length > before);
    await until(() => eventTypes().includes('camera.storage_restored'));
  });

  it('goes on on another storage when one fails, and no moment is missing or there twice', async () => {
    const second = mkdtempSync(join(tmpdir(), 'siphera-second-'));
    let fails = false;
    const files: Files = {
      ...realFiles,
      create: async (path) => {
        const handle = await realFiles.create(path);
        const isFirst = !path.startsWith(second);
        return {
          write: ((...args: Parameters<typeof handle.write>) => {
            if (fails && isFirst) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
            return handle.write(...args);
          }) as typeof handle.write,
          datasync: () => handle.datasync(),
          truncate: (length) => handle.truncate(length),
          close: () => handle.close(),
        };
      },
    };
    await start({ files });
    const other = await recording.recorder.storages.add({
      name: 'Second',
      path: join(second, 'f'),
      quotaBytes: null,
    });
    const first = recording.recorder.storages.all().find((one) => one.row.id !== other.row.id)!;
    const id = place(rig, camera, { policy: { storage_id: first.row.id } });
    await until(() => recordedMs(id) > 1_500);
    fails = true;
    await until(() => {
      const [, written] = segments(id);
      return written !== undefined && written.toMs - written.fromMs > 1_500;
    });
    expect(other.usedBy(id)).toBeGreaterThan(0);
    const [before, after] = segments(id);
    expect(after!.fromMs - before!.toMs).toBeGreaterThanOrEqual(0);
    expect(after!.fromMs - before!.toMs).toBeLessThan(200);
    expect(probe(await bytesOf(before!.id)).frames).toBeGreaterThan(0);
    expect(probe(await bytesOf(after!.id)).frames).toBeGreaterThan(0);
    expect(eventTypes()).toContain('camera.storage_failed');
    await rig.halt();
    rmSync(second, { recursive: true, force: true });
  });

  it('deletes the oldest when head-room is short, but never what a lock holds', async () => {
    await start();
    const id = place(rig, camera);
    await until(() => recordedMs(id) > 1_000);
    const { db } = rig.camera.ground;
    const [growing] = segments(id);
    const [storage] = recording.recorder.storages.all();
    const made = [5, 4, 3, 2].map((hours) => {
      const from = growing!.fromMs - hours * 3_600_000;
      const file = `${id}/20260101/${from}-1.mp4`;
      mkdirSync(join(rig.directory, 'footage', id, '20260101'), { recursive: true });
      writeFileSync(join(rig.directory, 'footage', file), '');
      truncateSync(join(rig.directory, 'footage', file), 1_000_000);
      db.prepare(
        `INSERT INTO segments (camera_id, storage_id, file, from_ms, to_ms, bytes, init_bytes, mime, width, height, judged)
         VALUES (?, ?, ?, ?, ?, 1000000, 10, 'video/mp4', 1, 1, 1)`,
      ).run(id, storage!.row.id, file, from, from + 30_000);
      storage!.written(id, 1_000_000);
      return from;
    });
    db.prepare(
      "INSERT INTO locks (id, camera_id, from_ms, to_ms, reason, locked_by, locked_ms) VALUES ('l', ?, ?, ?, 'x', 'y', 0)",
    ).run(id, made[1], made[1]! + 1_000);
    recording.recorder.storages.change(storage!, { quota_bytes: storage!.usedBytes - 2_500_000 });
    await recording.recorder.retention.sweep();
    const left = segments(id).map((one) => one.fromMs);
    expect(left).not.toContain(made[0]);
    expect(left).toContain(made[1]);
    expect(left).not.toContain(made[2]);
    expect(left).not.toContain(made[3]);
    expect(() => readFileSync(join(rig.directory, 'footage', `${id}/20260101/${made[0]}-1.mp4`))).toThrow(
      /ENOENT/,
    );
    expect(db.prepare('SELECT count(*) AS n FROM garbage').get()).toEqual({ n: 0 });
    expect(readFileSync(join(rig.directory, 'footage', identityFile), 'utf8')).toContain(storage!.row.id);
  });
});

describe('modes', () => {
  it('keep what lies around a motion, and delete the rest after the post-roll', async () => {
    const jump = { ms: 0 };
    const clock = { now: () => Date.now() + jump.ms, monotonic: () => performance.now() };
    await start({ clock });
    const id = place(rig, camera, { policy: { mode: 'motion', pre_roll_ms: 1_000, post_roll_ms: 1_000 } });
    await until(() => recordedMs(id) > 1_500);
    await until(() => rig.camera.base.states.get(id).recording === 'waiting');
    const atMs = clock.now();
    const { signals } = rig.camera.ground;
    signals.emit({ kind: 'motion', cameraId: id, on: true, atMs });
    signals.emit({ kind: 'motion', cameraId: id, on: false, atMs: atMs + 300 });
    await rig.halt();
    const db = openDatabase(join(rig.directory, 'data', 'camera.db'));
    const kept = db.prepare('SELECT id FROM segments').all() as { id: number }[];
    db.exec(
      `INSERT INTO segments (camera_id, storage_id, file, from_ms, to_ms, bytes, init_bytes, mime, width, height)
       SELECT camera_id, storage_id, 'x/20260101/1-1.mp4', from_ms - 90000, to_ms - 90000, 9, 1, mime, 1, 1 FROM segments LIMIT 1`,
    );
    db.close();
    jump.ms = 180_000;
    await rig.restart();
    await recording.recorder.retention.sweep();
    const rows = rig.camera.ground.db
      .prepare<[], { id: number; judged: number }>(
        'SELECT id, judged FROM segments WHERE to_ms IS NOT NULL ORDER BY id',
      )
      .all();
    expect(rows.map((row) => row.id)).toEqual(kept.map((row) => row.id));
    expect(rows.every((row) => row.judged === 2)).toBe(true);
  });

  it('tell core once that a camera is not recorded, and once that it is again', async () => {
    await start();
    const id = place(rig, camera, { policy: RecordingPolicy.parse({}) });
    await until(() => recordedMs(id) > 1_000);
    await camera.unplug();
    await until(() => eventTypes().includes('camera.recording_lost'));
    expect(rig.camera.base.states.get(id).recording).toBe('lost');
    await camera.plugIn();
    await until(() => eventTypes().includes('camera.recording_restored'));
    expect(eventTypes().filter((type) => type.startsWith('camera.recording'))).toHaveLength(2);
    const lost = rig.core.events.find((event) => event.type === 'camera.recording_lost')!;
    expect(lost.subject).toBe(id);
    expect(String(lost.data['reason'])).not.toBe('');
  });
});
