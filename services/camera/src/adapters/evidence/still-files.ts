/** The pictures themselves, one file each. A row is set ready after its file is durable; a file goes before its row. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { link, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { StillRow, StillStore } from '../../store/still.store.ts';
import { syncDirectory, writeDurably } from './durable-file.ts';

/** Taken away in one turn. */
const sweepMax = 200;

export class StillFiles {
  readonly #directory: string;
  readonly #store: StillStore;

  constructor(directory: string, store: StillStore) {
    this.#directory = directory;
    this.#store = store;
    mkdirSync(directory, { recursive: true, mode: 0o750 });
    // A crash between file and row leaves a file that nobody knows.
    for (const name of readdirSync(directory))
      if (!store.has(name.replace(/\.jpg$/, ''))) rmSync(join(directory, name), { force: true });
  }

  async keep(id: string, picture: Buffer): Promise<void> {
    await writeDurably(this.#path(id), picture);
    this.#store.set(id, 'ready');
  }

  /** Gives a still the file of another, as a file of its own name. @returns false when that is not there. */
  async share(id: string, of: string): Promise<boolean> {
    try {
      await rm(this.#path(id), { force: true });
      await link(this.#path(of), this.#path(id));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
    await syncDirectory(this.#directory);
    this.#store.set(id, 'ready');
    return true;
  }

  /** Undefined when the file is gone, whatever its row says. */
  async read({ id }: StillRow): Promise<Buffer | undefined> {
    try {
      return await readFile(this.#path(id));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async sweep(nowMs: number): Promise<void> {
    for (const id of this.#store.expired(nowMs, sweepMax)) {
      await rm(this.#path(id), { force: true });
      this.#store.remove(id);
    }
  }

  /** Ids are ours (UUIDv7), so no name of a camera or a caller becomes a path. */
  #path(id: string): string {
    return join(this.#directory, `${id}.jpg`);
  }
}
