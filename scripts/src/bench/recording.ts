/**
 * Recording: CPU of N cameras recorded by the service (with its ffmpegs), beside the same N recorded by bare `ffmpeg -c copy`
 * in the same run; the same with the live relay; memory; footage lost when the service is killed. CPU time is what the
 * kernel counts, so other work on the machine shifts it little.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  call,
  cameraFile,
  setupAdmin,
  startBox,
  startFakeCamera,
  startRtspServer,
  tempDir,
  waitFor,
  type Box,
  type FakeCamera,
} from '@siphera/testkit';
import type { BenchOptions, BenchRow } from './bench-row.ts';
import { pssOf, rssOf } from './process-figures.ts';

/** Streams are connected and their first pictures written before anything is counted. */
const settleMs = 10_000;
const connectMsMax = 120_000;
const ticksPerSecond = 100;

export async function benchRecording({
  seconds,
  cameras: count,
  progress,
}: BenchOptions): Promise<BenchRow[]> {
  progress(`${count} cameras, 1080p, 4 Mbit/s`);
  const file = await cameraFile();
  await using rtsp = await startRtspServer();
  const cameras: FakeCamera[] = [];
  for (let number = 1; number <= count; number += 1) {
    const main = { mode: 'file', file, width: 1_920, height: 1_080, fps: 25 } as const;
    cameras.push(await startFakeCamera({ rtsp, name: `load-${number}`, auth: 'none', main, sub: false }));
  }
  try {
    progress('bare ffmpeg');
    const bare = await measureBare(cameras, seconds);
    progress('ours');
    const plain = await measureOurs(cameras, seconds, {});
    progress('ours, with the live relay');
    const live = await measureOurs(cameras, seconds, {
      JANUS_URL: 'ws://127.0.0.1:9',
      JANUS_SECRET: 'nobody-listens-there',
    });
    return toRows(count, bare, plain, live);
  } finally {
    for (const camera of cameras) await camera.stop();
  }
}

type Ours = {
  cpu: number;
  serviceCpu: number;
  rssMiB: number;
  /** Resident memory at the end of the timed part, less that at its beginning. */
  grownMiB: number;
  ffmpegMiB: number;
  lostMs: number;
};

function toRows(count: number, bare: number, plain: Ours, live: Ours): BenchRow[] {
  const what = `recording ${count} cameras`;
  const peer = {
    peer: bare,
    peerName: 'bare ffmpeg -c copy',
    unit: '% of a core a camera',
    better: 'less',
  } as const;
  return [
    { ...peer, what: `${what}: CPU`, ours: plain.cpu, target: { ratio: 1 / 1.35 } },
    { ...peer, what: `${what} with the live relay: CPU`, ours: live.cpu, target: { ratio: 1 / 2 } },
    { what: `${what}: CPU`, ours: plain.cpu, unit: peer.unit, better: 'less', target: { ours: 1 } },
    { what: `${what}: the service's own part`, ours: plain.serviceCpu, unit: peer.unit, better: 'less' },
    { what: `${what}: service, resident`, ours: plain.rssMiB, unit: 'MiB', better: 'less' },
    {
      what: `${what}: service, resident, grown meanwhile`,
      ours: plain.grownMiB,
      unit: 'MiB',
      better: 'less',
    },
    { what: `${what}: each ffmpeg, proportional`, ours: plain.ffmpegMiB, unit: 'MiB', better: 'less' },
    {
      what: `${what}: footage lost at kill -9, the worst camera`,
      ours: Math.max(plain.lostMs, live.lostMs),
      unit: 'ms',
      better: 'less',
      target: { ours: 1_000 },
    },
  ];
}

/** The same cameras into files of 30 s, by ffmpeg alone. @returns percent of a core a camera. */
async function measureBare(cameras: readonly FakeCamera[], seconds: number): Promise<number> {
  await using dir = await tempDir('bare');
  const children: ChildProcess[] = [];
  try {
    for (const camera of cameras) {
      const folder = join(dir.path, camera.name);
      await mkdir(folder, { recursive: true });
      const input = ['-v', 'error', '-nostdin', '-rtsp_transport', 'tcp', '-i', camera.rtspUrl()];
      const output = ['-c', 'copy', '-f', 'segment', '-segment_time', '30', '-segment_format', 'mp4'];
      children.push(spawn('ffmpeg', [...input, ...output, join(folder, '%d.mp4')], { stdio: 'ignore' }));
    }
    await sleep(settleMs);
    return await percentOf(() => children.map((child) => child.pid ?? 0), cameras.length, seconds);
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}

async function measureOurs(
  cameras: readonly FakeCamera[],
  seconds: number,
  env: Readonly<Record<string, string>>,
): Promise<Ours> {
  await using box = await startBox({
    services: ['camera'],
    env: { core: { LOG_LEVEL: 'warn' }, camera: { LOG_LEVEL: 'warn', ...env } },
  });
  const { token } = await setupAdmin(box);
  await addCameras(box, token, cameras);
  await waitFor('all cameras to be recorded', () => everyRecorded(box, token, cameras.length), connectMsMax);
  await sleep(settleMs);
  const pid = box.camera?.daemon.pid ?? 0;
  const before = ticksOf(pid);
  const rssBefore = rssOf(pid);
  const startedMs = performance.now();
  const cpu = await percentOf(() => [pid, ...childrenOf(pid)], cameras.length, seconds);
  const own = ticksOf(pid) - before;
  const ffmpegs = childrenOf(pid);
  return {
    cpu,
    serviceCpu: toPercent(own, performance.now() - startedMs, cameras.length),
    rssMiB: rssOf(pid),
    grownMiB: rssOf(pid) - rssBefore,
    ffmpegMiB: ffmpegs.reduce((sum, one) => sum + pssOf(one), 0) / Math.max(1, ffmpegs.length),
    lostMs: lostAtKill(box, pid),
  };
}

async function addCameras(box: Box, token: string, cameras: readonly FakeCamera[]): Promise<void> {
  const areas = await call(box, 'listAreas', { token, query: {} });
  const areaId = areas.items[0]?.id ?? '';
  for (const camera of cameras)
    await call(box, 'createCamera', {
      token,
      body: { name: camera.name, area_id: areaId, connection: 'rtsp', rtsp_urls: [camera.rtspUrl()] },
    });
}

async function everyRecorded(box: Box, token: string, count: number): Promise<boolean> {
  const { items } = await call(box, 'listCameras', { token });
  return items.filter(({ state }) => state.recording === 'recording').length === count;
}

/** Kills it in the middle of its work and reads from its files up to when each camera is on the disk. */
function lostAtKill(box: Box, pid: number): number {
  process.kill(pid, 'SIGKILL');
  const killedMs = Date.now();
  const directory = box.camera?.recordingsDir ?? '';
  const ends = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.mp4'))
    .map((name) => ({ camera: name.slice(0, 36), endMs: endOf(join(directory, name)) }));
  const last = new Map<string, number>();
  for (const { camera, endMs } of ends) last.set(camera, Math.max(endMs, last.get(camera) ?? 0));
  return killedMs - Math.min(...last.values());
}

/** A fragment is at most this long; its exact length would need its run. */
const fragmentSeconds = 0.5;

/** Wall time of the end of the last whole fragment: the file is named by its first, ticks count from there. */
function endOf(path: string): number {
  const bytes = readFileSync(path);
  const timescale = bytes.readUInt32BE(bytes.indexOf('mdhd') + 16);
  const starts: number[] = [];
  let whole = 0;
  for (let at = 0; at + 8 <= bytes.length;) {
    const size = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (size < 8 || at + size > bytes.length) break;
    if (type === 'moof') starts.push(Number(bytes.readBigUInt64BE(bytes.indexOf('tfdt', at) + 8)));
    if (type === 'mdat') whole = starts.length;
    at += size;
  }
  const ticks = (starts[whole - 1] ?? 0) - (starts[0] ?? 0) + (whole === 0 ? 0 : timescale * fragmentSeconds);
  return Number(/(\d+)-\d+\.mp4$/.exec(path)?.[1] ?? 0) + (ticks * 1_000) / timescale;
}

async function percentOf(pids: () => number[], cameras: number, seconds: number): Promise<number> {
  const total = (): number => pids().reduce((sum, pid) => sum + ticksOf(pid), 0);
  const before = total();
  const startedMs = performance.now();
  await sleep(seconds * 1_000);
  return toPercent(total() - before, performance.now() - startedMs, cameras);
}

const toPercent = (ticks: number, elapsedMs: number, cameras: number): number =>
  (ticks / ticksPerSecond / (elapsedMs / 1_000) / cameras) * 100;

/** utime and stime of a process (proc(5), fields 14 and 15). */
function ticksOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
