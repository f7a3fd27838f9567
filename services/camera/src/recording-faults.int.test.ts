/** Recording through a full disk, a clock that is set and a camera that comes and goes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { systemClock } from '@siphera/runtime';
import { startFakeCamera, startRtspServer, type FakeCamera, type FakeRtspServer } from '@siphera/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readFragment } from './domain/mp4-fragment.ts';
import { readInit, type Track } from './domain/mp4-init.ts';
import { Mp4Splitter } from './domain/mp4-splitter.ts';
import { place, probe } from './testing/recording-kit.ts';
import { startRecordingRig, type RecordingRig } from './testing/recording-rig.ts';
import { until } from './testing/rig.ts';

let rtsp: FakeRtspServer;
let camera: FakeCamera;
let box: RecordingRig;

beforeAll(async () => {
  rtsp = await startRtspServer();
});
afterAll(() => rtsp.stop());
beforeEach(async () => {
  camera = await startFakeCamera({ rtsp, name: 'gate', main: { fps: 10, gopSeconds: 2 }, sub: false });
});
afterEach(async () => {
  await box.rig.stop();
  await camera.stop();
});

async function bytesOf(id: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of box.recording().recorder.footage.open(id)) parts.push(part);
  return Buffer.concat(parts);
}

/** First and last tick of a segment's picture: those of one connection join without a hole when nothing is lost. */
async function ticksOf(id: number): Promise<{ from: number; to: number }> {
  let tracks: readonly Track[] = [];
  const ticks: number[] = [];
  for (const { kind, bytes } of new Mp4Splitter().push(await bytesOf(id))) {
    if (kind === 'init') tracks = readInit(bytes)!.tracks;
    const video = kind === 'fragment' ? readFragment(bytes, tracks)?.video : undefined;
    if (video) ticks.push(video.decodeTime, video.decodeTime + video.duration);
  }
  return { from: ticks[0]!, to: ticks.at(-1)! };
}

describe('a clock that is set', () => {
  it('by an hour forward and back loses no picture, and no span is negative', async () => {
    let offMs = 0;
    const clock = { now: () => systemClock.now() + offMs, monotonic: () => systemClock.monotonic() };
    box = await startRecordingRig({ clock });
    const id = place(box.rig, camera);
    const written = (): number => box.segments(id).length;
    await until(() => box.recordedMs(id) > 2_500);
    offMs = 3_600_000;
    // Later than usual counts only when it stays so, for five seconds.
    await until(() => written() === 2 && box.segments(id)[1]!.toMs - box.segments(id)[1]!.fromMs > 2_500);
    offMs = 0;
    await until(() => written() === 3 && box.recording().recorder.growing === 1);
    await until(() => box.recordedMs(id) > 15_000);
    const rows = box.segments(id).toSorted((a, b) => a.id - b.id);
    for (const row of rows) expect(row.toMs).toBeGreaterThan(row.fromMs);
    expect(rows[1]!.fromMs - rows[0]!.toMs).toBeGreaterThan(3_500_000);
    expect(rows[2]!.fromMs).toBeLessThan(rows[1]!.fromMs);
    const ticks = await Promise.all(rows.map((row) => ticksOf(row.id)));
    expect(ticks[1]!.from).toBe(ticks[0]!.to);
    expect(ticks[2]!.from).toBe(ticks[1]!.to);
    const gaps = box.recording().recorder.footage.gaps(id, 0, Number.MAX_SAFE_INTEGER);
    for (const gap of gaps) expect(gap.toMs).toBeGreaterThan(gap.fromMs);
    expect(gaps.map(({ why }) => why)).toEqual(['The clock of the box or of the camera was set.']);
    // What is missed from now on is told by the new time, not by that of an hour ahead.
    await camera.reboot({ downMs: 3_000 });
    await until(() => box.recording().recorder.footage.gaps(id, 0, Number.MAX_SAFE_INTEGER).length === 2);
    const [first] = box
      .recording()
      .recorder.footage.gaps(id, 0, Number.MAX_SAFE_INTEGER)
      .toSorted((a, b) => a.toMs - b.toMs);
    expect(first!.toMs).toBeLessThan(clock.now() + 1_000);
    expect(first!.toMs - first!.fromMs).toBeLessThan(30_000);
  });
});

describe('a camera that comes and goes', () => {
  it('is recorded by one ffmpeg in the end, with its gaps and without a false alarm', async () => {
    box = await startRecordingRig();
    const id = place(box.rig, camera);
    await until(() => box.recordedMs(id) > 1_500);
    for (let round = 0; round < 4; round += 1) {
      await camera.reboot({ downMs: 500 + round * 700 });
      await new Promise((resolve) => setTimeout(resolve, 400 + round * 500));
    }
    const before = systemClock.now();
    await until(() => (box.segments(id).at(-1)?.toMs ?? 0) > before + 2_000);
    expect(box.recording().streams.pids()).toHaveLength(1);
    expect(await camera.rtspClients()).toBe(1);
    const rows = box.segments(id);
    for (const [index, row] of rows.entries()) {
      expect(row.toMs).toBeGreaterThan(row.fromMs);
      if (index > 0) expect(row.fromMs).toBeGreaterThanOrEqual(rows[index - 1]!.toMs - 250);
      expect(probe(await bytesOf(row.id)).frames).toBeGreaterThan(0);
    }
    const gaps = box.recording().recorder.footage.gaps(id, 0, Number.MAX_SAFE_INTEGER);
    expect(gaps.length).toBeGreaterThan(0);
    for (const { why } of gaps) expect(why).not.toBe('');
    // An alarm is false unless nothing came for half a minute: on a slow machine the camera may be away for that long.
    const alarms = box.eventTypes().filter((type) => type.startsWith('camera.recording'));
    expect(alarms.length === 0 || gaps.some(({ fromMs, toMs }) => toMs - fromMs > 25_000)).toBe(true);
  });
});

const diskMiB = 48;

/**
 * A small disk: a tmpfs in a mount namespace of its own, reached through /proc. Needs no root, and is gone with its process.
 */
async function startSmallDisk(): Promise<{ path: string; stop(): Promise<void> }> {
  const script = `mount -t tmpfs -o size=${diskMiB}m none /mnt && echo ready && exec sleep 600`;
  // Root needs no user namespace, which a chroot may not make.
  const namespaces = process.getuid?.() === 0 ? '-m' : '-Urm';
  const child = spawn('unshare', [namespaces, 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const answer: unknown = await Promise.race([once(child.stdout, 'data'), ended.then(() => undefined)]);
  if (answer === undefined) throw new Error('No small disk could be mounted; what unshare says stands above');
  return {
    path: `/proc/${child.pid}/root/mnt`,
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

describe('a disk that becomes full', () => {
  let disk: string;
  let stop: () => Promise<void>;
  beforeEach(async () => {
    ({ path: disk, stop } = await startSmallDisk());
  });
  afterEach(async () => {
    await box.rig.halt();
    await stop();
  });

  /** Writes until nothing fits any more, as another program would. */
  function fill(): void {
    const piece = Buffer.alloc(256 * 1_024);
    const ballast = join(disk, 'lost+found');
    try {
      for (let count = 0; count < diskMiB * 8; count += 1) appendFileSync(ballast, piece);
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
    }
    expect(statfsSync(disk).bavail * statfsSync(disk).bsize).toBeLessThan(1_024 * 1_024);
  }

  /** Three old segments of 2 MiB, oldest first. */
  function addOld(id: string): { fromMs: number; path: string }[] {
    const storage = box.recording().recorder.storages.all()[0]!;
    const bytes = 2 * 1_024 * 1_024;
    return [4, 3, 2].map((hours) => {
      const fromMs = systemClock.now() - hours * 3_600_000;
      const file = `${id}/20260101/${fromMs}-1.mp4`;
      const path = join(disk, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, Buffer.alloc(bytes, 1));
      box.rig.camera.ground.db
        .prepare(
          `INSERT INTO segments (camera_id, storage_id, file, from_ms, to_ms, bytes, init_bytes, mime, width, height, judged)
           VALUES (?, ?, ?, ?, ?, ?, 10, 'video/mp4', 1, 1, 1)`,
        )
        .run(id, storage.row.id, file, fromMs, fromMs + 30_000, bytes);
      storage.written(id, bytes);
      return { fromMs, path };
    });
  }

  const lock = (id: string, fromMs: number, toMs: number): void =>
    void box.rig.camera.ground.db
      .prepare(
        "INSERT INTO locks (id, camera_id, from_ms, to_ms, reason, locked_by, locked_ms) VALUES (?, ?, ?, ?, 'x', 'y', 0)",
      )
      .run(`l${fromMs}`, id, fromMs, toMs);

  it('lets its oldest go but not what is locked, says it when all is locked, and goes on when there is room', async () => {
    box = await startRecordingRig({ env: { RECORDINGS_DIR: disk } });
    const id = place(box.rig, camera);
    const lastMs = (): number => box.segments(id).at(-1)?.toMs ?? 0;
    await until(() => box.recordedMs(id) > 2_500);
    const [locked, second, third] = addOld(id);
    lock(id, locked!.fromMs, locked!.fromMs + 1_000);
    fill();
    const filledMs = systemClock.now();
    await until(() => !existsSync(second!.path) && !existsSync(third!.path));
    await until(() => lastMs() > filledMs + 4_000);
    expect(existsSync(locked!.path)).toBe(true);
    // From now on nothing may go.
    lock(id, 1, systemClock.now() + 3_600_000);
    fill();
    const [storage] = box.recording().recorder.storages.all();
    await until(() => storage!.trouble?.state === 'full' && box.recording().recorder.growing === 0);
    await until(() => box.eventTypes().includes('camera.storage_failed'));
    const before = box.segments(id).length;
    rmSync(join(disk, 'lost+found'));
    await until(() => box.segments(id).length > before);
    expect(storage!.trouble).toBeUndefined();
    await until(() => box.eventTypes().includes('camera.storage_restored'));
    const own = box.segments(id).filter((row) => row.fromMs > filledMs - 60_000);
    expect(own.length).toBeGreaterThan(1);
    for (const row of own) expect(probe(await bytesOf(row.id)).frames).toBeGreaterThan(0);
    const whys = box
      .recording()
      .recorder.footage.gaps(id, 0, Number.MAX_SAFE_INTEGER)
      .map(({ why }) => why);
    expect(whys.some((why) => why.includes('The disk is full'))).toBe(true);
    expect(readFileSync(locked!.path)).toHaveLength(2 * 1_024 * 1_024);
  });
});
