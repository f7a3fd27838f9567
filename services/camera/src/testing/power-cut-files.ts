/**
 * A file system that forgets at a power cut what was not durable: writes that have not returned (files are opened with
 * O_DSYNC), a tail that tore, and new files whose directory was not synced. Beneath the recorder's file seam.
 */
import { truncateSync, unlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { realFiles, type Files, type WritableFile } from '../adapters/recorder/files.ts';

export class PowerCutFiles {
  /** Bytes of each file that a write has returned for. */
  readonly #durable = new Map<string, number>();
  readonly #unlisted = new Set<string>();
  #isCut = false;
  readonly files: Files = {
    ...realFiles,
    create: async (path) => this.#create(path),
    syncDirectory: async (path) => {
      this.#alive();
      await realFiles.syncDirectory(path);
      if (this.#isCut) return;
      for (const file of this.#unlisted) if (dirname(file) === path) this.#unlisted.delete(file);
    },
    remove: async (path) => {
      this.#alive();
      await realFiles.remove(path);
      this.#durable.delete(path);
    },
    writeText: async (path, text) => {
      this.#alive();
      await realFiles.writeText(path, text);
    },
  };

  /** From now on nothing is written. */
  cut(): void {
    this.#isCut = true;
  }

  /** Once nobody writes any more: takes away what was not durable. @returns how many files lost something. */
  forget(): number {
    let count = 0;
    for (const [path, bytes] of this.#durable) {
      if (this.#unlisted.has(path)) unlinkSync(path);
      else truncateSync(path, bytes + this.#tornBytes(path));
      count += this.#unlisted.has(path) ? 1 : 0;
    }
    this.#durable.clear();
    this.#unlisted.clear();
    this.#isCut = false;
    return count;
  }

  /** Part of a write that was under way: what the next start has to cut off. */
  readonly #underWay = new Map<string, number>();
  #tornBytes(path: string): number {
    return Math.floor((this.#underWay.get(path) ?? 0) / 2);
  }

  #alive(): void {
    if (this.#isCut) throw Object.assign(new Error('EIO: the power is cut'), { code: 'EIO' });
  }

  async #create(path: string): Promise<WritableFile> {
    this.#alive();
    const handle = await realFiles.create(path);
    this.#durable.set(path, 0);
    this.#unlisted.add(path);
    const write = async (buffer: Buffer, offset: number, length: number, position: number) => {
      this.#alive();
      this.#underWay.set(path, length);
      const written = await handle.write(buffer, offset, length, position);
      if (this.#isCut) return written;
      this.#underWay.delete(path);
      this.#durable.set(path, Math.max(this.#durable.get(path) ?? 0, position + written.bytesWritten));
      return written;
    };
    return {
      write: write as WritableFile['write'],
      datasync: async () => {
        this.#alive();
        await handle.datasync();
      },
      truncate: async (length) => {
        this.#alive();
        await handle.truncate(length);
        this.#durable.set(path, Math.min(this.#durable.get(path) ?? 0, length ?? 0));
      },
      close: () => handle.close(),
    };
  }
}
