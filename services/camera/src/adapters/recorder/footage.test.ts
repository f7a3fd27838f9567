/** Reading footage back: what was promised is given whole, or it is said that it is not. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, openDatabase, type Sqlite } from '@siphera/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FragmentTable } from '../../domain/fragment-table.ts';
import type { FootageRun } from '../../domain/kept-footage.ts';
import { SegmentStore } from '../../store/segment.store.ts';
import { StorageStore } from '../../store/storage.store.ts';
import { Footage } from './footage.ts';

const camera = '0192f000-0000-7000-8000-000000000001';
const startMs = Date.UTC(2026, 2, 2, 8);
const initBytes = 100;
const segmentMs = 10_000;

let directory: string;
let db: Sqlite;
let footage: Footage;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'siphera-footage-'));
  db = openDatabase(join(directory, 'camera.db'));
  migrate(db, join(import.meta.dirname, '..', '..', '..', 'migrations'), startMs);
  const storage = { id: 'disk', path: directory };
  new StorageStore(db).insert({
    ...storage,
    name: 'Footage',
    head_room_bytes: 0,
    quota_bytes: null,
    created_ms: 0,
    failed_ms: null,
  });
  const segments = new SegmentStore(db);
  // Of the disks, only where they are is asked.
  const storages = { get: () => ({ row: storage }) };
  footage = new Footage({ segments, storages, growing: new Map() } as unknown as ConstructorParameters<
    typeof Footage
  >[0]);
  for (let index = 0; index < 3; index += 1) add(segments, index);
});
afterEach(() => {
  db.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Ten seconds: ten fragments of a second, 1 kB each. */
function add(segments: SegmentStore, index: number): void {
  const fromMs = startMs + index * segmentMs;
  const table = new FragmentTable(fromMs, initBytes);
  for (let at = 0; at < segmentMs; at += 1_000)
    table.add({ bytes: 1_000, startMs: fromMs + at, key: at % 2_000 === 0 });
  writeFileSync(join(directory, `${index}.mp4`), Buffer.alloc(table.fileBytes, index + 1));
  segments.insert({
    camera_id: camera,
    storage_id: 'disk',
    file: `${index}.mp4`,
    from_ms: fromMs,
    to_ms: fromMs + segmentMs,
    bytes: table.fileBytes,
    init_bytes: initBytes,
    mime: 'video/mp4; codecs="avc1.64001f"',
    width: 1_920,
    height: 1_080,
    fragments: table.encode(),
  });
}
const runOf = (fromMs: number, toMs: number): FootageRun => {
  const [run, ...others] = footage.runs(camera, fromMs, toMs);
  if (!run || others.length > 0) throw new Error('not one run');
  return run;
};
async function bytesOf(run: FootageRun): Promise<number> {
  let bytes = 0;
  for await (const part of footage.read(run)) bytes += part.length;
  return bytes;
}

describe('a run of footage', () => {
  it('is read as long as it was said to be, with its start', async () => {
    const whole = runOf(startMs, startMs + 3 * segmentMs);
    expect(whole.bytes).toBe(30_000);
    expect(await bytesOf(whole)).toBe(30_000 + initBytes);
    // From the key frame before 3 s, to the fragment that begins before 22 s.
    const part = runOf(startMs + 3_000, startMs + 22_000);
    expect(await bytesOf(part)).toBe(part.bytes + initBytes);
    expect(part.bytes).toBe(20_000);
  });

  it('fails in words when a file is shorter than its row, instead of ending early', async () => {
    const run = runOf(startMs, startMs + 3 * segmentMs);
    truncateSync(join(directory, '1.mp4'), 5_000);
    await expect(bytesOf(run)).rejects.toThrow('Part of this footage is not on its disk any more.');
  });

  it('fails in words when a segment was taken away since it was planned', async () => {
    const run = runOf(startMs, startMs + 3 * segmentMs);
    db.prepare(`DELETE FROM segments WHERE file = '1.mp4'`).run();
    await expect(bytesOf(run)).rejects.toThrow('Part of this footage is not on its disk any more.');
  });
});
