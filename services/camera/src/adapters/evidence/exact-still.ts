/**
 * The picture of a moment out of footage, as JPEG: decoded from the key frame before it up to the moment itself, so that three
 * stills two seconds apart are three pictures also of a camera whose key frames are far apart.
 */
import { spawn } from 'node:child_process';
import { AppError } from '@siphera/runtime';
import type { KeptFootage, StillMaker } from '../../domain/kept-footage.ts';

/** The rest of the moment's fragment and a bit: the picture after it must be there for it to be shown until then. */
const aheadMs = 700;
/** A picture that begins a hair after the moment is still the one that is wanted. */
const earlyMs = 5;
const timeoutMs = 15_000;
const jpegBytesMax = 8 * 1024 * 1024;
/** A minute without a key frame at 16 Mbit/s; more is not decoded for one picture. */
const inputBytesMax = 128 * 1024 * 1024;

export const exactStills =
  (ffmpeg: string, footage: Pick<KeptFootage, 'runs' | 'read'>): StillMaker =>
  async (cameraId, atMs) => {
    const run = footage
      .runs(cameraId, atMs, atMs + aheadMs)
      .find(({ fromMs, toMs }) => fromMs <= atMs + earlyMs && toMs > atMs);
    if (!run) return undefined;
    if (run.bytes > inputBytesMax)
      throw new AppError('unprocessable', 'There is no key frame for too long before this moment.');
    const parts: Buffer[] = [];
    for await (const part of footage.read(run)) parts.push(part);
    const seconds = Math.max(0, atMs - run.fromMs - earlyMs) / 1_000;
    return decode(ffmpeg, Buffer.concat(parts), seconds);
  };

function decode(ffmpeg: string, mp4: Buffer, seconds: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      ffmpeg,
      [
        ...['-nostdin', '-v', 'error', '-threads', '1', '-f', 'mp4', '-i', 'pipe:0', '-map', '0:v:0'],
        // Behind the input: everything is decoded, and shown from this moment on.
        ...['-ss', seconds.toFixed(3), '-frames:v', '1', '-q:v', '3', '-f', 'mjpeg', 'pipe:1'],
      ],
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    const picture: Buffer[] = [];
    let bytes = 0;
    let words = '';
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > jpegBytesMax) child.kill('SIGKILL');
      else picture.push(chunk);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-1_000);
    });
    // ffmpeg ends when it has its picture, and closes what we are still writing to: its end says how it went.
    child.stdin.on('error', () => child.stdin.destroy());
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      if (bytes > 0 && code === 0) resolve(Buffer.concat(picture));
      else reject(new Error(`ffmpeg made no picture: ${words.trim()}`));
    });
    child.stdin.end(mp4);
  });
}
