/**
 * One file of footage that grows. What must stay true: what `append` has returned for survives a power cut; the row in the
 * database is written after the file is durable and closed with what is durable in it.
 */
import { dirname, join } from 'node:path';
import type { Fragment, InitSegment } from '../../domain/media.ts';
import { FragmentTable } from '../../domain/fragment-table.ts';
import type { SegmentStore } from '../../store/segment.store.ts';
import type { Files, WritableFile } from './files.ts';
import type { OpenStorage } from './storages.ts';

export type SegmentParts = {
  files: Files;
  segments: SegmentStore;
  /** As in `RecorderParts`. */
  making: Set<string>;
  storage: OpenStorage;
  cameraId: string;
  init: InitSegment;
};

/** `2026-11-28/…`: files of a day together, so that no directory grows without end. */
export function segmentPath(cameraId: string, fromMs: number, isoDay: string, attempt: string): string {
  return `${cameraId}/${isoDay.slice(0, 10).replaceAll('-', '')}/${Math.round(fromMs)}-${attempt}.mp4`;
}

export class SegmentFile {
  readonly #parts: SegmentParts;
  readonly #file: WritableFile;
  readonly #table: FragmentTable;
  readonly path: string;
  readonly fromMs: number;
  id = 0;
  toMs: number;

  private constructor(parts: SegmentParts, file: WritableFile, path: string, fromMs: number) {
    this.#parts = parts;
    this.#file = file;
    this.path = path;
    this.fromMs = fromMs;
    this.toMs = fromMs;
    this.#table = new FragmentTable(fromMs, parts.init.bytes.length);
  }

  /** Makes the file with its first fragments. @throws when the disk does not take it; nothing is left unless the disk refuses that too. */
  static async create(
    parts: SegmentParts,
    path: string,
    fragments: readonly Fragment[],
  ): Promise<SegmentFile> {
    const { files, storage } = parts;
    const whole = join(storage.row.path, path);
    const directory = dirname(whole);
    const made = await files.makeDirectory(directory);
    parts.making.add(whole);
    try {
      return await SegmentFile.#createIn(
        parts,
        { path, directory, isNewDirectory: made !== undefined },
        fragments,
      );
    } finally {
      parts.making.delete(whole);
    }
  }

  static async #createIn(
    parts: SegmentParts,
    { path, directory, isNewDirectory }: { path: string; directory: string; isNewDirectory: boolean },
    fragments: readonly Fragment[],
  ): Promise<SegmentFile> {
    const { files, storage, init } = parts;
    const whole = join(storage.row.path, path);
    const file = await files.create(whole);
    const fromMs = Math.round(fragments[0]?.startMs ?? 0);
    const segment = new SegmentFile(parts, file, path, fromMs);
    try {
      await segment.#write([init.bytes], 0);
      await segment.append(fragments);
      await files.syncDirectory(directory);
      if (isNewDirectory) {
        await files.syncDirectory(dirname(directory));
        await files.syncDirectory(storage.row.path);
      }
      segment.id = parts.segments.insert({
        camera_id: parts.cameraId,
        storage_id: storage.row.id,
        file: path,
        from_ms: fromMs,
        to_ms: null,
        bytes: segment.#table.fileBytes,
        init_bytes: init.bytes.length,
        mime: init.mime,
        width: init.width,
        height: init.height,
        fragments: Buffer.alloc(0),
      });
    } catch (error) {
      await file.close().catch(() => undefined);
      // On a full disk each try would leave one, which takes what little room there is.
      await files.remove(whole).catch(() => undefined);
      storage.written(parts.cameraId, init.bytes.length - segment.bytes);
      throw error;
    }
    return segment;
  }

  get storage(): OpenStorage {
    return this.#parts.storage;
  }

  get cameraId(): string {
    return this.#parts.cameraId;
  }

  get init(): InitSegment {
    return this.#parts.init;
  }

  get bytes(): number {
    return this.#table.fileBytes;
  }

  entries(): ReturnType<FragmentTable['entries']> {
    return this.#table.entries();
  }

  /** Durable when it returns. */
  async append(fragments: readonly Fragment[]): Promise<void> {
    await this.#write(
      fragments.map((fragment) => fragment.bytes),
      this.#table.fileBytes,
    );
    for (const fragment of fragments) {
      this.#table.add({ bytes: fragment.bytes.length, startMs: fragment.startMs, key: fragment.key });
      this.toMs = Math.max(this.toMs, Math.round(fragment.startMs + fragment.durationMs));
    }
    this.#parts.storage.written(this.#parts.cameraId, sum(fragments));
  }

  async close(): Promise<void> {
    try {
      // What a failed write left behind the last whole fragment.
      await this.#file.truncate(this.#table.fileBytes);
      await this.#file.datasync();
    } finally {
      try {
        this.#closeRow();
      } finally {
        // Whatever the database says: a file that stays open is lost to the process.
        await this.#file.close();
      }
    }
  }

  /** From this moment on the same time was written elsewhere: the row ends there, whatever the file still holds. */
  cut(atMs: number): void {
    if (atMs <= this.fromMs || atMs >= this.toMs) return;
    this.#table.cutAt(atMs);
    this.toMs = Math.round(atMs);
    this.#closeRow();
  }

  #closeRow(): void {
    const { segments } = this.#parts;
    segments.close(this.id, {
      toMs: this.toMs,
      bytes: this.#table.fileBytes,
      fragments: this.#table.encode(),
    });
  }

  /** Durable when it returns, by the way the file was opened. A write may be taken in part only. */
  async #write(buffers: readonly Buffer[], at: number): Promise<void> {
    let position = at;
    for (const buffer of buffers) {
      for (let done = 0; done < buffer.length;) {
        const { bytesWritten } = await this.#file.write(buffer, done, buffer.length - done, position);
        done += bytesWritten;
        position += bytesWritten;
      }
    }
  }
}

const sum = (fragments: readonly Fragment[]): number =>
  fragments.reduce((total, fragment) => total + fragment.bytes.length, 0);
