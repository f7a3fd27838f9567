/**
 * A run of footage as one progressive MP4 file, without encoding anything anew: ffmpeg takes fragments on its stdin and writes
 * the index to the front. It is given no names but one of ours, so nothing that people or cameras say reaches its command line.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { AppError } from '@siphera/runtime';
import type { FootageRun, KeptFootage } from '../../domain/kept-footage.ts';

const wordsMax = 2_000;

export type Mp4FileOptions = {
  ffmpeg: string;
  footage: Pick<KeptFootage, 'read'>;
  run: FootageRun;
  path: string;
  signal: AbortSignal;
  onBytes(bytes: number): void;
};

/** @throws AppError in words. @returns the size of the file. */
export async function writeMp4(options: Mp4FileOptions): Promise<number> {
  const { ffmpeg, path, signal } = options;
  if (signal.aborted) throw stopped();
  const child = spawn(
    ffmpeg,
    [
      ...['-nostdin', '-v', 'error', '-y', '-f', 'mp4', '-i', 'pipe:0'],
      ...['-map', '0', '-c', 'copy', '-movflags', '+faststart', '-f', 'mp4', path],
    ],
    { stdio: ['pipe', 'ignore', 'pipe'] },
  );
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-wordsMax);
  });
  const stop = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  try {
    const [code] = await Promise.all([ended, feed(child.stdin, options)]);
    if (signal.aborted) throw stopped();
    if (code !== 0)
      throw new AppError('internal', `ffmpeg could not put the footage together: ${words.trim()}`);
    return (await stat(path)).size;
  } finally {
    signal.removeEventListener('abort', stop);
    child.kill('SIGKILL');
  }
}

const stopped = (): AppError => new AppError('unavailable', 'It was stopped.');

async function feed(stdin: NodeJS.WritableStream, options: Mp4FileOptions): Promise<void> {
  let broken = false;
  // ffmpeg that ends early closes its end; its exit code says why.
  stdin.on('error', () => (broken = true));
  const closed = once(stdin, 'close').then(() => (broken = true));
  for await (const bytes of options.footage.read(options.run)) {
    if (isOver(options.signal, broken)) return;
    if (!stdin.write(bytes)) await Promise.race([once(stdin, 'drain').catch(() => undefined), closed]);
    options.onBytes(bytes.length);
  }
  stdin.end();
}

const isOver = (signal: AbortSignal, broken: boolean): boolean => signal.aborted || broken;
