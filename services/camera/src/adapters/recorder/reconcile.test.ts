/** Rows and files that are compared while disks come and go and recording goes on. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SegmentStore } from '../../store/segment.store.ts';
import {
  createRecorderGround,
  createRecorderParts,
  standInFragment,
  standInInit,
  standInListeners,
  type RecorderGround,
} from '../../testing/recorder-ground.ts';
import { makeMp4 } from '../../testing/stand-in-footage.ts';
import { realFiles, type Files } from './files.ts';
import { reconcileStorage } from './reconcile.ts';
import { Recorder } from './recorder.ts';
import { SegmentFile } from './segment-file.ts';
import { identityFile } from './storages.ts';

const cameraId = '0192f000-0000-7000-8000-0000000000e1';
const minuteMs = 60_000;

let base: RecorderGround;
let segments: SegmentStore;
let recorder: Recorder;

beforeEach(() => {
  base = createRecorderGround();
  segments = new SegmentStore(base.ground.db);
});
afterEach(async () => {
  await recorder.stop();
  base.stop();
});

const create = (files: Files = realFiles): Recorder =>
  (recorder = new Recorder(base.ground, standInListeners().streams, files));
const compared = async (): Promise<void> => {
  await expect.poll(() => base.log.filter((line) => line.includes('compared')).length).toBeGreaterThan(0);
};
const nameOf = (fromMs: number): string => `${cameraId}/20260302/${fromMs}-1.mp4`;

/** A second of footage on the disk, of that many minutes ago. */
function put(minutesAgo: number): { file: string; fromMs: number } {
  const fromMs = base.clock.now() - minutesAgo * minuteMs;
  const file = nameOf(fromMs);
  mkdirSync(dirname(join(base.disk, file)), { recursive: true });
  writeFileSync(join(base.disk, file), makeMp4({ seconds: 1 }));
  return { file, fromMs };
}

/** The same, with its row. */
function record(minutesAgo: number): string {
  const { file, fromMs } = put(minutesAgo);
  const { id } = recorder.storages.all()[0]!.row;
  const row = { camera_id: cameraId, storage_id: id, file, from_ms: fromMs, to_ms: fromMs + 1_000, bytes: 9 };
  const picture = { init_bytes: 1, mime: 'video/mp4', width: 1, height: 1, fragments: Buffer.alloc(0) };
  segments.insert({ ...row, ...picture });
  return file;
}

const known = (): string[] =>
  segments.between(cameraId, 0, Number.MAX_SAFE_INTEGER, 99).map(({ file }) => file);

describe('comparing a storage', () => {
  it('gives the footage of an earlier box its rows again', async () => {
    const { file } = put(2);
    writeFileSync(
      join(base.disk, identityFile),
      JSON.stringify({ storage: '0192f000-0000-7000-8000-0000000000d1' }),
    );
    await create().start();
    await compared();
    expect(known()).toEqual([file]);
  });

  it('forgets no row when the disk drops out under it, and looks again when it is back', async () => {
    await create().start();
    await compared();
    const files = [record(3), record(2)];
    const gone = record(4);
    renameSync(join(base.disk, gone), join(base.directory, 'gone.mp4'));
    await recorder.stop();
    base.log.length = 0;
    let isFirst = true;
    const dropping: Files = {
      ...realFiles,
      size: async (path) => {
        if (isFirst) renameSync(base.disk, `${base.disk}.away`);
        if (isFirst) mkdirSync(base.disk);
        isFirst = false;
        return realFiles.size(path);
      },
    };
    await create(dropping).start();
    await compared();
    expect(base.log).toContain('footage_not_compared');
    expect(known().toSorted()).toEqual([...files, gone].toSorted());
    await recorder.look();
    expect(recorder.storages.all()[0]!.trouble?.state).toBe('missing');
    renameSync(`${base.disk}.away`, join(base.disk));
    await recorder.look();
    await expect.poll(() => base.log).toContain('footage_compared');
    expect(known().toSorted()).toEqual(files.toSorted());
  });

  it('keeps the open row of a disk that drops out while it is closed', async () => {
    await create().start();
    await compared();
    const file = record(2);
    await recorder.stop();
    base.ground.db.exec('UPDATE segments SET to_ms = NULL');
    const dropping: Files = {
      ...realFiles,
      // After the look at the disks, before its rows are closed.
      space: async (path) => {
        const space = await realFiles.space(path);
        renameSync(base.disk, `${base.disk}.away`);
        return space;
      },
    };
    await create(dropping).start();
    expect(base.log).toContain('segment_not_recovered');
    expect(known()).toEqual([file]);
  });

  it('waits for a disk that is missing at the start', async () => {
    await create().start();
    await compared();
    await recorder.stop();
    base.log.length = 0;
    const { file } = put(2);
    renameSync(base.disk, `${base.disk}.away`);
    await create().start();
    await recorder.look();
    expect(base.log).not.toContain('footage_compared');
    renameSync(`${base.disk}.away`, base.disk);
    await recorder.look();
    await compared();
    expect(known()).toEqual([file]);
  });

  it('leaves a file alone that is being made, though the clock was set back before it', async () => {
    await create().start();
    await compared();
    const fromMs = base.clock.now() - minuteMs;
    const path = join(base.disk, nameOf(fromMs));
    let made: Promise<SegmentFile> | undefined;
    let isCompared = false;
    const files: Files = {
      ...realFiles,
      list: async (directory) => {
        if (directory === dirname(path)) {
          const own = { ...parts, files: slow, storage, cameraId, init: standInInit };
          made = SegmentFile.create(own, nameOf(fromMs), [standInFragment(fromMs)]);
          await expect.poll(() => existsSync(path) && readFileSync(path).length).toBe(12);
        }
        return realFiles.list(directory);
      },
    };
    // The row comes only when the comparison is over.
    const slow: Files = {
      ...realFiles,
      syncDirectory: async () => {
        await expect.poll(() => isCompared).toBe(true);
      },
    };
    const parts = createRecorderParts(base.ground, { files });
    await parts.storages.start();
    const storage = parts.storages.all()[0]!;
    put(2);
    const found = await reconcileStorage(parts, storage, base.clock.now(), () => false);
    isCompared = true;
    const segment = await made!;
    expect(found).toEqual({ closed: 0, ghosts: 0, adopted: 1, removed: 0 });
    expect(readFileSync(path, 'utf8')).toBe('initfragment');
    expect(parts.making.size).toBe(0);
    await segment.close();
  });
});
