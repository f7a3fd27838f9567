/**
 * What the recorder asks of the file system, in one place, so that tests can put one beneath it that fails, fills up or
 * forgets what was not synced.
 */
import { constants } from 'node:fs';
import {
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rmdir,
  stat,
  statfs,
  unlink,
  type FileHandle,
} from 'node:fs/promises';
import { dirname } from 'node:path';

export type WritableFile = Pick<FileHandle, 'write' | 'datasync' | 'close' | 'truncate'>;

export type Files = {
  /** A new file; refused when there is one. A write to it is durable when it returns. */
  create(path: string): Promise<WritableFile>;
  /** Directory entries are durable only after this. */
  syncDirectory(path: string): Promise<void>;
  /** @returns the uppermost directory it had to make, if any. */
  makeDirectory(path: string): Promise<string | undefined>;
  remove(path: string): Promise<void>;
  removeDirectory(path: string): Promise<void>;
  list(path: string): Promise<{ name: string; isDirectory: boolean }[]>;
  readText(path: string): Promise<string>;
  /** Durable and whole, or not at all. */
  writeText(path: string, text: string): Promise<void>;
  space(path: string): Promise<{ totalBytes: number; freeBytes: number }>;
  size(path: string): Promise<number>;
};

const fileMode = 0o640;
const directoryMode = 0o750;

const syncDirectory = async (path: string): Promise<void> => {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

export const realFiles: Files = {
  // O_DSYNC: one call instead of write and fdatasync, of which 64 cameras make 128 a second.
  create: (path) =>
    open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_DSYNC, fileMode),
  syncDirectory,
  makeDirectory: (path) => mkdir(path, { recursive: true, mode: directoryMode }),
  remove: (path) => unlink(path),
  removeDirectory: (path) => rmdir(path),
  list: async (path) => {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }));
  },
  readText: (path) => readFile(path, 'utf8'),
  writeText: async (path, text) => {
    const draft = `${path}.new`;
    const handle = await open(draft, 'w', fileMode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, path);
    await syncDirectory(dirname(path));
  },
  space: async (path) => {
    const { blocks, bavail, bsize } = await statfs(path);
    return { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
  },
  size: async (path) => (await stat(path)).size,
};

/** `ENOENT` and the like; undefined when it is no error of the file system. */
export const errorCode = (error: unknown): string | undefined =>
  (error as NodeJS.ErrnoException | undefined)?.code;
