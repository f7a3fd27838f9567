/** What the index of footage weighs, and the queries that must not read all of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, openDatabase, type Sqlite } from '@siphera/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FragmentTable } from '../domain/fragment-table.ts';
import { MarkStore } from './mark.store.ts';
import { SegmentStore } from './segment.store.ts';
import { StorageStore } from './storage.store.ts';

const storageId = '0192f000-0000-7000-8000-0000000000d1';
const cameraId = (number: number): string => `0192f000-0000-7000-8000-${String(number).padStart(12, '0')}`;
const startMs = Date.UTC(2026, 2, 2, 8);
const minuteMs = 60_000;

let directory: string;
let db: Sqlite;
let segments: SegmentStore;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'siphera-footage-'));
  db = openDatabase(join(directory, 'camera.db'));
  migrate(db, join(import.meta.dirname, '..', '..', 'migrations'), startMs);
  new StorageStore(db).insert({
    id: storageId,
    name: 'Footage',
    path: directory,
    head_room_bytes: 0,
    quota_bytes: null,
    created_ms: 0,
    failed_ms: null,
  });
  segments = new SegmentStore(db);
});
afterEach(() => {
  db.close();
  rmSync(directory, { recursive: true, force: true });
});

/** A segment of 30 s as a camera at 4 Mbit/s makes it. */
function add(camera: number, fromMs: number): number {
  const table = new FragmentTable(fromMs, 900);
  for (let index = 0; index < 60; index += 1)
    table.add({ bytes: 240_000 + index * 300, startMs: fromMs + index * 500, key: index % 4 === 0 });
  const id = segments.insert({
    camera_id: cameraId(camera),
    storage_id: storageId,
    file: `${cameraId(camera)}/20260302/${fromMs}-${camera}.mp4`,
    from_ms: fromMs,
    to_ms: null,
    bytes: 900,
    init_bytes: 900,
    mime: 'video/mp4; codecs="avc1.64001f, mp4a.40.2"',
    width: 1_920,
    height: 1_080,
    fragments: Buffer.alloc(0),
  });
  segments.close(id, { toMs: fromMs + 30_000, bytes: table.fileBytes, fragments: table.encode() });
  return id;
}

describe('the index', () => {
  it('weighs less than 2 KB a camera-minute', () => {
    const cameras = 20;
    const minutes = 60;
    const empty = sizeOf();
    db.transaction(() => {
      for (let minute = 0; minute < minutes; minute += 1)
        for (let camera = 0; camera < cameras; camera += 1)
          for (const half of [0, 30_000]) add(camera, startMs + minute * minuteMs + half);
    })();
    const bytes = (sizeOf() - empty) / (cameras * minutes);
    // 1.4 KB when this was written; 4 KB is what is promised.
    expect(bytes).toBeLessThan(2_000);
  });

  it('finds the segment that reaches into a range, and no other', () => {
    for (let minute = 0; minute < 5; minute += 1) add(1, startMs + minute * minuteMs);
    add(2, startMs);
    const found = segments.between(
      cameraId(1),
      startMs + 2 * minuteMs + 20_000,
      startMs + 3 * minuteMs + 1,
      100,
    );
    expect(found.map((row) => row.from_ms)).toEqual([startMs + 2 * minuteMs, startMs + 3 * minuteMs]);
    expect(segments.before(cameraId(1), startMs + 90_000)?.from_ms).toBe(startMs + minuteMs);
    expect(segments.cameraIds()).toEqual([cameraId(1), cameraId(2)]);
  });

  it('gives nothing away that a lock holds, and all of it when the lock has ended', () => {
    const id = add(1, startMs);
    db.prepare(
      "INSERT INTO locks (id, camera_id, from_ms, to_ms, reason, locked_by, locked_ms, until_ms) VALUES ('l', ?, ?, ?, 'x', 'y', 0, ?)",
    ).run(cameraId(1), startMs + 29_000, startMs + 40_000, startMs + 1_000_000);
    expect(segments.oldestOfCamera(cameraId(1), startMs)).toEqual([]);
    const row = {
      id,
      camera_id: cameraId(1),
      storage_id: storageId,
      file: 'f',
      from_ms: startMs,
      to_ms: startMs,
      bytes: 1,
    };
    expect(segments.discard([row], 'test', startMs)).toEqual([]);
    expect(segments.discard([row], 'test', startMs + 1_000_001)).toEqual([row]);
    expect(segments.garbage(storageId)).toHaveLength(1);
  });
});

describe('marks', () => {
  it('hold one motion at a time and end it once', () => {
    const marks = new MarkStore(db);
    marks.motionBegins(cameraId(1), 100);
    marks.motionBegins(cameraId(1), 200);
    const range = { fromMs: 0, toMs: 1_000 };
    expect(marks.spans(cameraId(1), 'motion', range, 500)).toEqual([{ fromMs: 100, toMs: 500 }]);
    expect(marks.motionEnds(cameraId(1), 300)).toEqual({ fromMs: 100, toMs: 300 });
    expect(marks.motionEnds(cameraId(1), 400)).toBeUndefined();
  });
});

function sizeOf(): number {
  db.pragma('wal_checkpoint(TRUNCATE)');
  return Number(db.pragma('page_count', { simple: true })) * Number(db.pragma('page_size', { simple: true }));
}
