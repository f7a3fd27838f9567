/** Directories that are taken as storages, and disks that hang. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, openDatabase, type Sqlite } from '@siphera/runtime';
import { fakeClock, fakeRandom } from '@siphera/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SegmentStore } from '../../store/segment.store.ts';
import { StorageStore } from '../../store/storage.store.ts';
import { realFiles, type Files } from './files.ts';
import { identityFile, Storages, type StorageParts } from './storages.ts';

const earlier = '0192f000-0000-7000-8000-0000000000d1';
const footage = '0192f000-0000-7000-8000-0000000000e1';
const identityText = `${JSON.stringify({ storage: earlier })}\n`;

let directory: string;
let disk: string;
let db: Sqlite;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'siphera-storages-'));
  disk = join(directory, 'footage');
  db = openDatabase(join(directory, 'camera.db'));
  migrate(db, join(import.meta.dirname, '..', '..', '..', 'migrations'), 0);
});
afterEach(() => {
  db.close();
  rmSync(directory, { recursive: true, force: true });
});

function storagesOn(files: Files = realFiles): Storages {
  const silent = (): void => undefined;
  const ground = {
    config: { RECORDINGS_DIR: disk },
    log: { debug: silent, info: silent, warn: silent, error: silent },
    clock: fakeClock(),
    random: fakeRandom(),
    db,
    directory: { all: () => [] },
  } as unknown as StorageParts['ground'];
  return new Storages({ ground, files, store: new StorageStore(db), segments: new SegmentStore(db) });
}

describe('a directory that is ours already', () => {
  it('is the first storage of a box with a new database, with what lies in it', async () => {
    mkdirSync(join(disk, footage), { recursive: true });
    writeFileSync(join(disk, identityFile), identityText);
    const storages = storagesOn();
    await storages.start();
    expect(storages.all().map(({ row, trouble }) => [row.id, row.path, trouble])).toEqual([
      [earlier, disk, undefined],
    ]);
    expect(existsSync(join(disk, footage))).toBe(true);
    // And is known from then on.
    const again = storagesOn();
    await again.start();
    expect(again.all().map(({ row }) => row.id)).toEqual([earlier]);
  });

  it('is taken when the power was cut between its identity and its row', async () => {
    const storages = storagesOn();
    await storages.start();
    const second = join(directory, 'second');
    mkdirSync(second);
    writeFileSync(join(second, identityFile), identityText);
    for (const name of ['.siphera-storage.new', '.siphera-probe', '.siphera-probe.new', 'lost+found'])
      writeFileSync(join(second, name), '');
    const { row } = await storages.add({ name: 'Second', path: second, quotaBytes: null });
    expect(row.id).toBe(earlier);
    expect(readFileSync(join(second, identityFile), 'utf8')).toBe(identityText);
  });

  it('is refused when it is a storage already, or footage of another box would be added to this one', async () => {
    mkdirSync(disk);
    writeFileSync(join(disk, identityFile), identityText);
    const storages = storagesOn();
    await storages.start();
    const second = join(directory, 'second');
    mkdirSync(second);
    writeFileSync(join(second, identityFile), identityText);
    const add = () => storages.add({ name: 'Second', path: second, quotaBytes: null });
    await expect(add()).rejects.toThrow('is not empty');
    writeFileSync(join(second, identityFile), identityText.replace('d1', 'd2'));
    mkdirSync(join(second, footage));
    await expect(add()).rejects.toThrow('is not empty');
  });

  it('is no excuse to write between the files of somebody else', async () => {
    mkdirSync(disk);
    writeFileSync(join(disk, 'holiday.mp4'), '');
    await expect(storagesOn().start()).rejects.toThrow('is not empty');
  });
});
