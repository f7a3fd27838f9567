/**
 * What the queue asks of a file system, small enough that a test can play a power cut after any single step. Names are
 * plain file names inside one directory. A promise that resolves promises no durability unless its comment says so.
 */
import { mkdir, open, readdir, readFile, rename, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

export type Disk = {
  list(): Promise<string[]>;
  /** The bytes of a file; undefined when there is none. */
  read(name: string): Promise<Buffer | undefined>;
  /** Adds to the end of a file, creating it. */
  append(name: string, data: Buffer): Promise<void>;
  /** After this, everything appended to the file so far survives a power cut. */
  sync(name: string): Promise<void>;
  /** After this, every file created, renamed or removed so far is so after a power cut too. */
  syncNames(): Promise<void>;
  truncate(name: string, size: number): Promise<void>;
  /** Puts a whole file in place of the old one, durably: after a power cut there is the old one or the new one. */
  replace(name: string, data: Buffer): Promise<void>;
  /** Writes a small file without any promise; a torn one must be harmless to its reader. */
  write(name: string, data: Buffer): Promise<void>;
  remove(name: string): Promise<void>;
  close(): Promise<void>;
};

/** A directory (mode 700, made when missing) as a Disk. At most one file is kept open: the one appended to last. */
export async function openDisk(dir: string): Promise<Disk> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const tail = createTail(dir);
  const syncNames = () => syncPath(dir, 'r');
  return {
    list: () => readdir(dir),
    read: (name) => readIfThere(join(dir, name)),
    append: async (name, data) => {
      await writeAll(await tail.open(name), data);
    },
    sync: async (name) => {
      await (await tail.open(name)).datasync();
    },
    syncNames,
    truncate: async (name, size) => {
      const handle = await tail.open(name);
      await handle.truncate(size);
      await handle.sync();
    },
    replace: async (name, data) => {
      const temporary = join(dir, `${name}.tmp`);
      await writeFile(temporary, data, { mode: 0o600 });
      await syncPath(temporary, 'r+');
      await tail.forget(name);
      await rename(temporary, join(dir, name));
      await syncNames();
    },
    write: (name, data) => writeFile(join(dir, name), data, { mode: 0o600 }),
    remove: async (name) => {
      await tail.forget(name);
      await rm(join(dir, name), { force: true });
    },
    close: () => tail.close(),
  };
}

function createTail(dir: string) {
  let current: { name: string; handle: FileHandle } | undefined;
  const close = async () => {
    const handle = current?.handle;
    current = undefined;
    await handle?.close();
  };
  return {
    open: async (name: string): Promise<FileHandle> => {
      if (current?.name === name) return current.handle;
      await close();
      const handle = await open(join(dir, name), 'a', 0o600);
      current = { name, handle };
      return handle;
    },
    forget: async (name: string) => {
      if (current?.name === name) await close();
    },
    close,
  };
}

async function writeAll(handle: FileHandle, data: Buffer): Promise<void> {
  let done = 0;
  while (done < data.length) done += (await handle.write(data, done)).bytesWritten;
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function syncPath(path: string, flags: 'r' | 'r+'): Promise<void> {
  const handle = await open(path, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
