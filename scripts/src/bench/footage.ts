/**
 * Footage after it was written: an export of a minute, an incident's clip, the size of the index, and how long the service takes
 * to record again with 100,000 segments behind it. Real services, one 1080p camera. What a power cut costs is measured in
 * services/camera/src/power-cut.int.test.ts, which can forget what was not durable.
 */
import { copyFileSync, linkSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase, toRfc3339 } from '@siphera/runtime';
import { call, cameraFile, setupAdmin, startBox, startFakeCamera, waitFor, type Box } from '@siphera/testkit';
import { quantile, type BenchOptions, type BenchRow } from './bench-row.ts';

const exportSeconds = 60;
const exports = 5;
const segments = 100_000;
/** So that all of them are younger than the days they are kept for. */
const segmentSeconds = 20;
/** Names of one file, below what file systems allow. */
const linksMax = 10_000;
const restartMsMax = 60_000;
const afterMs = 5_000;

type Place = { box: Box; token: string; cameraId: string; areaId: string; recordings: string };

export async function benchFootage({ progress }: BenchOptions): Promise<BenchRow[]> {
  const main = { mode: 'file', file: await cameraFile(), width: 1_920, height: 1_080, fps: 25 } as const;
  await using camera = await startFakeCamera({ name: 'footage', auth: 'none', main, sub: false });
  await using box = await startBox({
    services: ['camera'],
    env: { core: { LOG_LEVEL: 'warn' }, camera: { LOG_LEVEL: 'warn' } },
  });
  const { token } = await setupAdmin(box);
  const areas = await call(box, 'listAreas', { token });
  const areaId = areas.items[0]?.id ?? '';
  const { id: cameraId } = await call(box, 'createCamera', {
    token,
    body: { name: 'Camera', area_id: areaId, connection: 'rtsp', rtsp_urls: [camera.rtspUrl()] },
  });
  const place: Place = { box, token, cameraId, areaId, recordings: box.camera?.recordingsDir ?? '' };
  await waitFor('the camera to be recorded', () => newestMs(place) > 0);
  progress(`${exportSeconds} s are recorded`);
  await sleep((exportSeconds + 5) * 1_000);
  progress('exports');
  const exported = await exportTimes(place);
  progress('an incident');
  const clipMs = await clipReadyMs(place);
  progress('a restart');
  const fewMs = await restartMs(place);
  progress(`a restart with ${segments} segments`);
  await box.camera?.daemon.kill9();
  const indexBytes = fillIndex(place);
  const manyMs = await restartMs(place);
  const what = 'footage, 1080p 4 Mbit/s';
  const less = { unit: 'ms', better: 'less' } as const;
  return [
    { ...less, what: `${what}: export of ${exportSeconds} s, p50`, ours: quantile(exported, 0.5) },
    { ...less, what: `${what}: export, worst`, ours: exported.at(-1) ?? 0, target: { ours: 2_000 } },
    { ...less, what: `${what}: clip ready after its last picture`, ours: clipMs },
    { ...less, what: `${what}: kill -9 to recording again, empty index`, ours: fewMs },
    { ...less, what: `${what}: the same, ${segments} segments`, ours: manyMs },
    { what: `${what}: index`, ours: indexBytes, unit: 'B a minute', better: 'less', target: { ours: 4_096 } },
  ];
}

async function exportTimes({ box, token, cameraId }: Place): Promise<number[]> {
  const times: number[] = [];
  for (let count = 0; count < exports; count += 1) {
    const toMs = Date.now() - 1_000;
    const span = { from: toRfc3339(toMs - exportSeconds * 1_000), to: toRfc3339(toMs) };
    const startedMs = performance.now();
    const body = { camera_ids: [cameraId], ...span, reason: 'Benchmark' };
    const { id } = await call(box, 'createExport', { token, body });
    const done = await waitFor('the export', async () => {
      const now = await call(box, 'getExport', { token, params: { id } });
      return now.state === 'running' ? undefined : now;
    });
    if (done.state !== 'ready') throw new Error(`The export failed: ${String(done.problem)}`);
    times.push(performance.now() - startedMs);
  }
  return times.sort((a, b) => a - b);
}

/** From the last picture of an incident's clip to the clip. */
async function clipReadyMs({ box, token, areaId }: Place): Promise<number> {
  const settings = await call(box, 'getFootageSettings', { token });
  const body = { ...settings, evidence_before_ms: afterMs, evidence_after_ms: afterMs };
  await call(box, 'putFootageSettings', { token, body });
  const incident = { title: 'Benchmark', severity: 'critical', area_id: areaId, text: '' } as const;
  const { id } = await call(box, 'createIncident', { token, body: incident });
  const startedMs = performance.now();
  const clip = await waitFor(
    'the clip',
    async () => {
      const { items } = await call(box, 'getIncidentEvidence', { token, params: { id } });
      return items.find(({ state }) => state !== 'pending');
    },
    restartMsMax,
  );
  if (clip.state !== 'ready') throw new Error(`There is no clip: ${String(clip.problem)}`);
  return performance.now() - startedMs - afterMs;
}

/** From the start of the process to the first picture in a new file. */
async function restartMs(place: Place): Promise<number> {
  const daemon = place.box.camera?.daemon;
  await daemon?.kill9();
  const lastMs = newestMs(place);
  const startedMs = performance.now();
  const ready = daemon?.start();
  await waitFor('footage', () => newestMs(place) > lastMs, restartMsMax);
  const elapsedMs = performance.now() - startedMs;
  await ready;
  return elapsedMs;
}

/** When the newest file of footage begins; 0 without any. */
function newestMs({ recordings, cameraId }: Place): number {
  const today = join(recordings, cameraId, dayOf(Date.now()));
  try {
    return Math.max(0, ...readdirSync(today).map((name) => Number.parseInt(name, 10)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

const dayOf = (ms: number): string => toRfc3339(ms).slice(0, 10).replaceAll('-', '');

/** Puts segments before those that there are, each a copy of a real one. @returns bytes of the index a minute of a camera. */
function fillIndex({ box, recordings, cameraId }: Place): number {
  const db = openDatabase(join(box.camera?.dataDir ?? '', 'camera.db'));
  type Row = { id: number; file: string; from_ms: number; to_ms: number };
  const row = db
    .prepare<[], Row>('SELECT * FROM segments WHERE to_ms - from_ms > 25000 ORDER BY id LIMIT 1')
    .get();
  if (!row) throw new Error('No segment is whole');
  const insert = db.prepare<[Record<string, unknown>]>(
    `INSERT INTO segments (camera_id, storage_id, file, from_ms, to_ms, bytes, init_bytes, mime, width, height, judged, fragments)
     SELECT camera_id, storage_id, @file, @from, @to, bytes, init_bytes, mime, width, height, 1, fragments FROM segments WHERE id = @id`,
  );
  const made = new Set<string>();
  let source = '';
  db.transaction(() => {
    for (let count = 1; count <= segments; count += 1) {
      const from = row.from_ms - count * segmentSeconds * 1_000;
      const file = `${cameraId}/${dayOf(from)}/${from}-1.mp4`;
      const path = join(recordings, file);
      if (!made.has(dirname(path))) mkdirSync(dirname(path), { recursive: true });
      made.add(dirname(path));
      if (count % linksMax === 1) copyFileSync(join(recordings, row.file), (source = path));
      else linkSync(source, path);
      insert.run({ id: row.id, file, from, to: from + segmentSeconds * 1_000 });
    }
  })();
  const size = db
    .prepare<[], { bytes: number }>("SELECT sum(pgsize) AS bytes FROM dbstat WHERE name LIKE 'segments%'")
    .get();
  const minutes = (segments * (row.to_ms - row.from_ms)) / 60_000;
  db.close();
  return (size?.bytes ?? Number.NaN) / minutes;
}
