/** What is left of a segment that could not be written. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createRecorderGround,
  createRecorderParts,
  standInFragment,
  standInInit,
  standInListeners,
  type RecorderGround,
} from '../../testing/recorder-ground.ts';
import { CameraRecorder } from './camera-recorder.ts';
import { realFiles, type Files, type WritableFile } from './files.ts';
import type { RecorderParts } from './parts.ts';
import { SegmentFile, segmentPath } from './segment-file.ts';
import type { OpenStorage } from './storages.ts';

const cameraId = '0192f000-0000-7000-8000-0000000000e1';
const { streams, listeners } = standInListeners();

let base: RecorderGround;
let parts: RecorderParts;
let storage: OpenStorage;

beforeEach(async () => {
  base = createRecorderGround();
  parts = createRecorderParts(base.ground, { streams });
  await parts.storages.start();
  [storage] = parts.storages.all() as [OpenStorage];
});
afterEach(() => base.stop());

const failing = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }));

/** Files whose handles are changed by the test. */
const filesWith = (change: (file: WritableFile) => Partial<WritableFile>): Files => ({
  ...realFiles,
  create: async (path) => {
    const file = await realFiles.create(path);
    const own: WritableFile = {
      write: file.write.bind(file),
      datasync: () => file.datasync(),
      truncate: (length) => file.truncate(length),
      close: () => file.close(),
    };
    return { ...own, ...change(own) };
  },
});

const path = segmentPath(cameraId, 1_000, '1970-01-01', '1');
const create = (files: Files): Promise<SegmentFile> =>
  SegmentFile.create({ ...parts, files, storage, cameraId, init: standInInit }, path, [
    standInFragment(1_000),
  ]);

describe('a segment', () => {
  it('leaves no file on a disk that became full under its first fragment', async () => {
    const files = filesWith(() => ({ write: failing('ENOSPC') }));
    await expect(create(files)).rejects.toThrow('ENOSPC');
    expect(existsSync(join(base.disk, path))).toBe(false);
  });

  it('leaves neither file nor bytes in the account when its directory could not be synced', async () => {
    await expect(create({ ...realFiles, syncDirectory: failing('EIO') })).rejects.toThrow('EIO');
    expect(existsSync(join(base.disk, path))).toBe(false);
    expect(storage.usedBy(cameraId)).toBe(0);
  });

  it('closes its file though the database does not take the end of its row', async () => {
    let closed = 0;
    const segment = await create(
      filesWith((file) => ({
        close: () => {
          closed += 1;
          return file.close();
        },
      })),
    );
    base.ground.db.exec(
      "CREATE TRIGGER full BEFORE UPDATE ON segments BEGIN SELECT RAISE(FAIL, 'full'); END",
    );
    await expect(segment.close()).rejects.toThrow('full');
    expect(closed).toBe(1);
  });
});

describe('a recorder', () => {
  it('that begins with the same key frame again takes another name, and no disk has failed', async () => {
    for (let round = 0; round < 3; round += 1) {
      const recorder = new CameraRecorder(parts, cameraId, true);
      recorder.start();
      for (const listener of listeners) {
        listener.init(standInInit);
        listener.fragment(standInFragment(1_000));
      }
      await recorder.stop('Recording was switched off.');
    }
    const names = readdirSync(join(base.disk, cameraId, '19700101'));
    expect(names.toSorted()).toEqual(['1000-1.mp4', '1000-2.mp4', '1000-3.mp4']);
    expect(storage.trouble).toBeUndefined();
  });
});
