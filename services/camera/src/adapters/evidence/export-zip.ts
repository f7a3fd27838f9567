/** Writes the zip of an export as it grows: files stored as they are, hashed on the way, the signed manifest last. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Transform, type TransformCallback } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';

/** Sees all bytes go by. */
class Hashing extends Transform {
  readonly #hash: Hash = createHash('sha256');
  bytes = 0;

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.#hash.update(chunk);
    this.bytes += chunk.length;
    done(null, chunk);
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}

export class ExportZip {
  readonly #path: string;
  readonly #zip = new ZipFile();
  readonly #all = new Hashing();
  readonly #written: Promise<void>;
  readonly #failed: Promise<never>;
  readonly #mtime: Date;

  constructor(path: string, nowMs: number) {
    this.#path = path;
    this.#mtime = new Date(nowMs);
    this.#failed = new Promise<never>((_resolve, reject) => this.#zip.once('error', reject));
    this.#written = pipeline(
      this.#zip.outputStream,
      this.#all,
      createWriteStream(path, { flags: 'w', mode: 0o640 }),
    );
    // Both are waited for below, by whoever is at it then; a failure in between is no stray rejection.
    this.#failed.catch(() => undefined);
    this.#written.catch(() => undefined);
  }

  /** Resolves when the file is in the zip and may go. */
  async addFile(source: string, path: string): Promise<{ bytes: number; sha256: string }> {
    const hashing = new Hashing();
    const stream = createReadStream(source)
      .on('error', (error) => hashing.destroy(error))
      .pipe(hashing);
    this.#zip.addReadStream(stream, path, { compress: false, mtime: this.#mtime, mode: 0o100644 });
    // The zip fails only together with its file; without the race a full disk would leave the reader waiting for ever.
    await Promise.race([finished(stream), this.#failed, this.#written]);
    return { bytes: hashing.bytes, sha256: hashing.digest() };
  }

  addBuffer(bytes: Buffer, path: string): void {
    this.#zip.addBuffer(bytes, path, { compress: false, mtime: this.#mtime, mode: 0o100644 });
  }

  /** Durable when it resolves. */
  async end(): Promise<{ bytes: number; sha256: string }> {
    this.#zip.end();
    await Promise.race([this.#written, this.#failed]);
    const file = await open(this.#path, 'r+');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    return { bytes: this.#all.bytes, sha256: this.#all.digest() };
  }

  destroy(): void {
    this.#all.destroy();
  }
}
