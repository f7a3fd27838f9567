/** The stores on a real file: rings stay in their bounds, keys stay shut, migrations refuse a newer file. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyBox, migrate, openDatabase, systemRandom, type Sqlite } from '@siphera/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrationsDirectory } from '../testing/rig.ts';
import { AccountStore, waitingMax } from './account.store.ts';
import { FrameStore } from './frame.store.ts';
import { MessageStore } from './message.store.ts';

let directory: string;
let db: Sqlite;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'siphera-panel-store-'));
  db = openDatabase(join(directory, 'panel.db'));
  // Durability is not what these tests are about.
  db.pragma('synchronous = OFF');
  migrate(db, migrationsDirectory, 0);
});
afterEach(() => {
  db.close();
  rmSync(directory, { recursive: true, force: true });
});

const frame = (verdict: 'ack' | 'silent', bytes = 100) => ({
  received_ms: 1,
  transport: 'tcp' as const,
  address: '10.0.0.1',
  account: '1234',
  raw: Buffer.alloc(bytes, 65),
  verdict,
  reason: 'x',
});
const count = (where: string): number =>
  db.prepare<[], number>(`SELECT count(*) FROM frames WHERE ${where}`).pluck().get() ?? 0;

describe('the ring of frames', () => {
  it('lets garbage push out garbage only', () => {
    const frames = new FrameStore(db, { rowsMax: 100_000, bytesMax: 1e9, badRowsMax: 100 });
    for (let index = 0; index < 50; index += 1) frames.insert(frame('ack'));
    for (let index = 0; index < 3_000; index += 1) frames.insert(frame('silent'));
    frames.prune();
    expect([count("verdict = 'ack'"), count("verdict = 'silent'")]).toEqual([50, 100]);
  });

  it('stays within its bytes and rows, also after it was opened again', () => {
    const limits = { rowsMax: 1_000, bytesMax: 300_000, badRowsMax: 10_000 };
    const frames = new FrameStore(db, limits);
    for (let index = 0; index < 2_500; index += 1) frames.insert(frame('ack', 200));
    new FrameStore(db, limits).prune();
    expect(
      db.prepare<[], number>('SELECT coalesce(sum(length(raw)), 0) FROM frames').pluck().get(),
    ).toBeLessThanOrEqual(300_000);
    const newest = db.prepare<[], number>('SELECT max(id) FROM frames').pluck().get();
    expect(newest).toBe(2_500);
  });
});

describe('accounts', () => {
  const box = (key: Buffer) => new KeyBox({ key, random: systemRandom, variable: 'PANEL_KEY_FILE' });
  const keys = () => box(Buffer.alloc(32, 1));

  it('that nobody knows are kept up to a bound', () => {
    const accounts = new AccountStore(db, keys());
    for (let index = 0; index < waitingMax + 50; index += 1) {
      const seen = {
        transport: 'udp' as const,
        address: '10.0.0.9',
        frames: 1,
        bad: 0,
        heard: true,
        listable: true,
      };
      accounts.sight(
        { ...seen, account: (0x1000 + index).toString(16).toUpperCase() },
        () => systemRandom.uuid(),
        5,
      );
    }
    expect(accounts.list()).toHaveLength(waitingMax);
  });

  it('have keys that open with their own key file and account alone', () => {
    const secret = Buffer.alloc(16, 9);
    const sealed = keys().seal(secret, 'ABCD');
    expect(keys().open(sealed, 'ABCD')).toEqual(secret);
    expect(() => keys().open(sealed, 'ABCE')).toThrow(/PANEL_KEY_FILE/);
    expect(() => box(Buffer.alloc(32, 2)).open(sealed, 'ABCD')).toThrow(/PANEL_KEY_FILE/);
  });
});

describe('messages', () => {
  it('are forgotten when their window is over, but not while they wait for core', () => {
    const messages = new MessageStore(db);
    const message = (sequence: string) =>
      ({ account: 'A', path: '', sequence, contentHash: Buffer.alloc(16) }) as never;
    messages.save(message('0001'), { eventId: 'one', naks: 0 }, 0);
    messages.save(message('0002'), { eventId: 'two', naks: 0 }, 0);
    messages.enqueue(
      { event_id: 'two', frame_id: null, account: 'A', path: '', sequence: '0002', events: '[]' },
      0,
    );
    messages.prune(3_600_000);
    expect(messages.find(message('0001'))).toBeUndefined();
    expect(messages.find(message('0002'))?.eventId).toBe('two');
  });
});

describe('the schema', () => {
  it('of a newer release stops the start', () => {
    db.prepare("INSERT INTO schema_migrations VALUES ('29990101T0000_future.sql', 'x', 0)").run();
    expect(() => migrate(db, migrationsDirectory, 0)).toThrow(/newer release/);
  });
});
