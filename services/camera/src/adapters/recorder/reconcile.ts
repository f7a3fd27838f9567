/**
 * Rows and files of footage, compared at the start: growing rows are closed first, because recording goes on behind them; the
 * rest, which may be 100,000 files, is looked at while recording runs.
 */
import { join } from 'node:path';
import type { SegmentRow } from '../../store/segment.store.ts';
import { errorCode } from './files.ts';
import type { RecorderParts } from './parts.ts';
import { recoverFile, type Recovered } from './recovery.ts';
import { identityFile, isLeftover, type OpenStorage } from './storages.ts';

const cameraName = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const dayName = /^\d{8}$/;
const fileName = /^(\d{1,15})-\d{1,9}\.mp4$/;
const dayMs = 86_400_000;

export type Reconciled = { closed: number; ghosts: number; adopted: number; removed: number };

/** Closes what the service left open on a storage when it died, or when the disk went away. */
export async function closeUnfinished(parts: RecorderParts, storage: OpenStorage): Promise<number> {
  const { segments, growing } = parts;
  let closed = 0;
  for (const { id, storage_id } of segments.unfinished()) {
    if (storage_id !== storage.row.id) continue;
    // It may have grown and been closed while others were read.
    const row = segments.get(id);
    if (!row || row.to_ms !== null || growing.has(id)) continue;
    try {
      if (await closeOne(parts, storage, row)) closed += 1;
    } catch (error) {
      parts.ground.log.error('segment_not_recovered', { segment: row.id, error });
    }
  }
  return closed;
}

async function closeOne(parts: RecorderParts, storage: OpenStorage, row: SegmentRow): Promise<boolean> {
  const { segments, ground, storages } = parts;
  const path = join(storage.row.path, row.file);
  try {
    const found = await recoverFile(path, row.from_ms);
    if (!found) {
      segments.forget(row.id);
      segments.addGarbage(row.storage_id, row.file, 'it holds no footage');
      return false;
    }
    const { table, toMs } = found;
    segments.close(row.id, { toMs, bytes: table.fileBytes, fragments: table.encode() });
    storage.written(row.camera_id, table.fileBytes - row.bytes);
    return true;
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' || !(await storages.isThere(storage))) throw error;
    segments.forget(row.id);
    ground.log.warn('footage_without_file', { camera: row.camera_id, file: row.file });
    return false;
  }
}

/** Compares a whole storage with its rows. Files that began after `startedMs` are being written and are not looked at. */
export async function reconcileStorage(
  parts: RecorderParts,
  storage: OpenStorage,
  startedMs: number,
  isOver: () => boolean,
): Promise<Reconciled> {
  const { files, segments } = parts;
  const result: Reconciled = { closed: 0, ghosts: 0, adopted: 0, removed: 0 };
  const names = await files.list(storage.row.path);
  const onDisk = names
    .filter((entry) => entry.isDirectory && cameraName.test(entry.name))
    .map(({ name }) => name);
  for (const entry of names) {
    const isOurs = entry.name === identityFile || isLeftover(entry.name) || cameraName.test(entry.name);
    if (!isOurs) parts.ground.log.warn('foreign_file', { storage: storage.row.id, file: entry.name });
  }
  for (const cameraId of new Set([...onDisk, ...segments.cameraIds()])) {
    const days = onDisk.includes(cameraId) ? await files.list(join(storage.row.path, cameraId)) : [];
    const dayNames = new Set([
      ...days.filter((day) => day.isDirectory && dayName.test(day.name)).map((day) => day.name),
      ...segments.days(cameraId, storage.row.id).map(nameOfDay),
    ]);
    for (const day of dayNames)
      if (!isOver()) await reconcileDay(parts, { storage, cameraId, day, startedMs }, result);
  }
  return result;
}

type Day = {
  storage: OpenStorage;
  cameraId: string;
  day: string;
  startedMs: number;
};

async function reconcileDay(parts: RecorderParts, place: Day, result: Reconciled): Promise<void> {
  const { segments, making } = parts;
  const { storage, cameraId, day, startedMs } = place;
  const directory = `${cameraId}/${day}`;
  // Listed before the rows are read: a file in the list has a row, is being made, must go, or is nobody's.
  const names = await listed(parts, join(storage.row.path, directory));
  const garbage = segments.garbageFiles(storage.row.id);
  const others = new Set(making);
  const rows = new Map(
    segments.ofDay(cameraId, storage.row.id, dayOf(day)).map((row) => [row.file, row] as const),
  );
  for (const name of names) {
    const path = `${directory}/${name}`;
    const fromMs = Number(fileName.exec(name)?.[1] ?? Number.NaN);
    if (rows.delete(path) || garbage.has(path) || fromMs >= startedMs) continue;
    if (others.has(join(storage.row.path, path))) continue;
    const what = await adopt(parts, storage, { cameraId, path, fromMs });
    if (what === 'removed') segments.addGarbage(storage.row.id, path, 'it has no row and holds no footage');
    if (what !== 'gone') result[what] += 1;
  }
  result.ghosts += await forgetLost(parts, storage, rows.values());
}

/** @throws when the disk went away: its files are not lost, and this look at it is over. */
async function forgetLost(
  { segments, storages, files, ground, growing }: RecorderParts,
  storage: OpenStorage,
  rows: Iterable<Pick<SegmentRow, 'id' | 'file' | 'to_ms'>>,
): Promise<number> {
  let ghosts = 0;
  for (const row of rows) {
    // A row whose file is not listed may have been made since; a growing one is somebody else's.
    if (row.to_ms === null || growing.has(row.id)) continue;
    if ((await sizeOf(files, join(storage.row.path, row.file))) !== undefined) continue;
    if (!(await storages.isThere(storage))) throw new Error(`${storage.row.path} went away`);
    const lost = segments.get(row.id);
    // Retention may have taken both.
    if (!lost) continue;
    ground.log.warn('footage_without_file', { camera: lost.camera_id, file: row.file });
    segments.forget(row.id);
    storage.written(lost.camera_id, -lost.bytes);
    ghosts += 1;
  }
  return ghosts;
}

async function listed(parts: RecorderParts, directory: string): Promise<string[]> {
  try {
    return (await parts.files.list(directory)).map(({ name }) => name);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function sizeOf(files: RecorderParts['files'], path: string): Promise<number | undefined> {
  try {
    return await files.size(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Footage whose row is lost (the service died between file and row, or an older database was restored) is taken in again. */
async function adopt(
  { segments, ground }: RecorderParts,
  storage: OpenStorage,
  { cameraId, path, fromMs }: { cameraId: string; path: string; fromMs: number },
): Promise<'adopted' | 'removed' | 'gone'> {
  if (Number.isNaN(fromMs)) return 'removed';
  let found: Recovered | undefined;
  try {
    found = await recoverFile(join(storage.row.path, path), fromMs);
  } catch (error) {
    // Retention took it since it was listed.
    if (errorCode(error) === 'ENOENT') return 'gone';
    throw error;
  }
  if (!found) return 'removed';
  const { segment } = found.init;
  const id = segments.insert({
    camera_id: cameraId,
    storage_id: storage.row.id,
    file: path,
    from_ms: fromMs,
    to_ms: found.toMs,
    bytes: found.table.fileBytes,
    init_bytes: segment.bytes.length,
    mime: segment.mime,
    width: segment.width,
    height: segment.height,
    fragments: found.table.encode(),
  });
  storage.written(cameraId, found.table.fileBytes);
  ground.log.warn('footage_without_row', { camera: cameraId, file: path, segment: id });
  return 'adopted';
}

const nameOfDay = (day: number): string =>
  new Date(day * dayMs).toISOString().slice(0, 10).replaceAll('-', '');
const dayOf = (name: string): number =>
  Math.floor(
    Date.UTC(Number(name.slice(0, 4)), Number(name.slice(4, 6)) - 1, Number(name.slice(6, 8))) / dayMs,
  );
