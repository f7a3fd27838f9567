/**
 * Pictures out of footage, as JPEG. The one file that knows fluent-ffmpeg (ADR 0008): each picture is one short ffmpeg. What
 * must stay true: a bounded number runs at once, a bounded number waits, and the same picture is made once.
 */
import { Readable } from 'node:stream';
import { AppError, type Logger } from '@siphera/runtime';
import ffmpeg from 'fluent-ffmpeg';
import type { Footage } from './recorder/footage.ts';

/** At once: recording needs the machine more. */
const runningMax = 2;
/** A timeline that is dragged over asks for dozens; more than this is nobody looking. */
const waitingMax = 64;
const cacheBytesMax = 32 * 1_024 * 1_024;
const timeoutMs = 10_000;
const jpegBytesMax = 8 * 1_024 * 1_024;

export type StillsOptions = {
  ffmpeg: string;
  footage: Pick<Footage, 'keyframeAt'>;
  log: Logger;
};

export class Stills {
  readonly #options: StillsOptions;
  readonly #cache = new Map<string, Buffer>();
  #cacheBytes = 0;
  readonly #underWay = new Map<string, Promise<Buffer>>();
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(options: StillsOptions) {
    this.#options = options;
  }

  /** The key frame at or before a moment; undefined when there is no footage of it. @throws AppError `overloaded`, `unavailable`. */
  async at(cameraId: string, atMs: number, width?: number): Promise<Buffer | undefined> {
    const key = await this.#options.footage.keyframeAt(cameraId, atMs);
    if (!key) return undefined;
    const name = `${cameraId} ${key.atMs} ${width ?? 'whole'}`;
    const known = this.#cache.get(name);
    if (known) {
      // The order of the map is the order of use.
      this.#cache.delete(name);
      this.#cache.set(name, known);
      return known;
    }
    const underWay = this.#underWay.get(name) ?? this.#make(name, key.bytes, width);
    return await underWay;
  }

  /** A picture of any MP4 that begins with a key frame. */
  async of(mp4: Buffer, width?: number): Promise<Buffer> {
    await this.#turn();
    try {
      return await toJpeg(this.#options.ffmpeg, mp4, width);
    } catch (cause) {
      this.#options.log.warn('still_not_made', { error: cause });
      throw new AppError('unavailable', 'No picture could be made of this footage.', { cause });
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  #make(name: string, mp4: Buffer, width: number | undefined): Promise<Buffer> {
    const made = this.of(mp4, width).then(
      (jpeg) => {
        this.#underWay.delete(name);
        this.#keep(name, jpeg);
        return jpeg;
      },
      (error: unknown) => {
        this.#underWay.delete(name);
        throw error;
      },
    );
    this.#underWay.set(name, made);
    return made;
  }

  #keep(name: string, jpeg: Buffer): void {
    this.#cache.set(name, jpeg);
    this.#cacheBytes += jpeg.length;
    for (const [oldest, bytes] of this.#cache) {
      if (this.#cacheBytes <= cacheBytesMax) break;
      this.#cache.delete(oldest);
      this.#cacheBytes -= bytes.length;
    }
  }

  async #turn(): Promise<void> {
    if (this.#waiting.length >= waitingMax)
      throw new AppError('overloaded', 'Too many pictures are asked for at once.');
    while (this.#running >= runningMax) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running += 1;
  }
}

function toJpeg(path: string, mp4: Buffer, width: number | undefined): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const command = ffmpeg(Readable.from([mp4]))
      .setFfmpegPath(path)
      .inputFormat('mp4')
      .inputOptions(['-threads', '1'])
      .outputOptions([
        ...['-frames:v', '1', '-an', '-q:v', '4'],
        ...(width === undefined ? [] : ['-vf', `scale='min(${Math.round(width)},iw)':-2`]),
      ])
      .outputFormat('mjpeg');
    const timer = setTimeout(() => command.kill('SIGKILL'), timeoutMs);
    command.on('error', (error: Error) => {
      clearTimeout(timer);
      reject(error);
    });
    command
      .pipe()
      .on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > jpegBytesMax) command.kill('SIGKILL');
        else parts.push(chunk);
      })
      .on('end', () => {
        clearTimeout(timer);
        const jpeg = Buffer.concat(parts);
        if (jpeg.length === 0) reject(new Error('ffmpeg made no picture'));
        else resolve(jpeg);
      });
  });
}
