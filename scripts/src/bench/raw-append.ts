/** better-sqlite3 alone: the same columns, a hundred rows in a transaction, synchronous=FULL, no index, nothing else. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { openDatabase } from '@siphera/runtime';
import { tempDir } from '@siphera/testkit';

const rowsPerCommit = 100;
const data = JSON.stringify({
  note: 'a reading of the usual size, with some words in it',
  value: 21,
  unit: 'C',
});

/** @returns rows a second. */
export async function rawAppend(seconds: number): Promise<number> {
  await using dir = await tempDir('raw');
  const db = openDatabase(join(dir.path, 'raw.sqlite'));
  db.exec(
    `CREATE TABLE events (seq INTEGER PRIMARY KEY, org_id TEXT, site_id TEXT, area_id TEXT, device_id TEXT, origin TEXT, source TEXT,
       id TEXT, type TEXT, class TEXT, version INTEGER, subject TEXT, time_ms INTEGER, device_time_ms INTEGER, recorded_ms INTEGER,
       late_ms INTEGER, delivery TEXT, clock_suspect INTEGER, trace_id TEXT, data TEXT) STRICT`,
  );
  const insert = db.prepare(`INSERT INTO events VALUES (${Array(20).fill('?').join(', ')})`);
  const [org, site, area, device] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  let seq = 0;
  const append = db.transaction(() => {
    for (let n = 0; n < rowsPerCommit; n++) {
      seq += 1;
      insert.run(
        seq,
        org,
        site,
        area,
        device,
        `device:${device}`,
        `bench/${device}`,
        `${device}-${seq}`,
        'telemetry.reading',
        'telemetry',
        1,
        device,
        1_790_000_000_000,
        1_790_000_000_000,
        1_790_000_000_000,
        0,
        'live',
        0,
        org,
        data,
      );
    }
  });
  const started = performance.now();
  while (performance.now() - started < seconds * 1_000) append.immediate();
  const perSecond = seq / ((performance.now() - started) / 1_000);
  db.close();
  return perSecond;
}
