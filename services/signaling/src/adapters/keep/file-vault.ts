/**
 * The contents of files, one each, ciphertext. What must stay true, whatever breaks off: a row that is ready has its whole content on the
 * disk, and no content is there without a row. So the row comes first, as pending, and a start takes away what was left.
 */
import { constants, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { AppError, type Logger, type Sqlite } from '@siphera/runtime';
import type { FileRow, FileStore } from '../../store/file.store.ts';

const fileMode = 0o600;
const directoryMode = 0o700;

export class FileVault {
  readonly #directory: string;
  readonly #store: FileStore;
  readonly #db: Sqlite;
  readonly #log: Logger;

  constructor(options: { directory: string; store: FileStore; db: Sqlite; log: Logger }) {
    this.#directory = options.directory;
    this.#store = options.store;
    this.#db = options.db;
    this.#log = options.log;
    mkdirSync(this.#directory, { recursive: true, mode: directoryMode });
    this.#tidy();
  }

  /**
   * Keeps a file. Its space is taken by its row before the first byte is written.
   * @throws AppError `disk_full` when the disk takes no more.
   */
  async keep(file: Omit<FileRow, 'state'>, userIds: readonly string[], bytes: Uint8Array): Promise<void> {
    this.#db.transaction(() => this.#store.begin(file, userIds)).immediate();
    try {
      await this.#write(file.id, bytes);
      this.#store.setReady(file.id);
    } catch (error) {
      await this.remove(file.id);
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      throw new AppError('disk_full', 'The disk of the box is full; the file was not stored.', {
        cause: error,
      });
    }
  }

  /** Opened, so that it can be read to its end although it is removed meanwhile. Undefined when it is gone. */
  async read(id: string): Promise<Readable | undefined> {
    try {
      const file = await open(this.#path(id), constants.O_RDONLY);
      return file.createReadStream();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** The content first: a row without one is found and taken away again, a content without a row only by a start. */
  async remove(id: string): Promise<void> {
    await Promise.all([rm(this.#path(id), { force: true }), rm(this.#besides(id), { force: true })]);
    this.#store.remove(id);
  }

  async #write(id: string, bytes: Uint8Array): Promise<void> {
    const file = await open(this.#besides(id), 'wx', fileMode);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(this.#besides(id), this.#path(id));
    // Without it a power cut may take the name of a file whose content is safe.
    const directory = await open(this.#directory, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  /** Before anybody is let in: uploads that were broken off, contents of nobody, rows whose content is lost. */
  #tidy(): void {
    const broken = this.#store.removePending();
    const known = new Set(this.#store.readyIds());
    const found = new Set(readdirSync(this.#directory));
    const strays = [...found].filter((name) => !known.has(name));
    for (const name of strays) rmSync(join(this.#directory, name), { force: true, recursive: true });
    const lost = [...known].filter((id) => !found.has(id));
    for (const id of lost) this.#store.remove(id);
    if (broken + strays.length + lost.length > 0)
      this.#log.warn('files_tidied', { broken, strays: strays.length, lost: lost.length });
  }

  /** Ids are ours (UUIDv7): no name of a caller becomes a path. */
  #path(id: string): string {
    return join(this.#directory, id);
  }

  #besides(id: string): string {
    return `${this.#path(id)}.tmp`;
  }
}
