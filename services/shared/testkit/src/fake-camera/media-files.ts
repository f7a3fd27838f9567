/**
 * Pictures and streams that ffmpeg makes once: snapshots, and the files that load cameras loop. Files are kept in .cache/
 * of the tree from one run to the next.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repositoryRoot } from '../repository.ts';

export type CameraFileOptions = {
  codec?: 'h264' | 'h265';
  width?: number;
  height?: number;
  fps?: number;
  bitrateKbps?: number;
  gopSeconds?: number;
  seconds?: number;
};

const run = promisify(execFile);
const folder = join(repositoryRoot, '.cache', 'fake-camera');
/** An encode of ten seconds of 1080p takes about as long on two busy cores. */
const encodeMsMax = 180_000;
const jpegBytesMax = 16 * 1024 * 1024;
const snapshots = new Map<string, Promise<Buffer>>();

/** A real JPEG of that size. */
export function snapshotJpeg(width: number, height: number): Promise<Buffer> {
  const size = `${width}x${height}`;
  const kept = snapshots.get(size) ?? makeSnapshot(size);
  snapshots.set(size, kept);
  return kept;
}

/** An Annex B stream without B-frames, for the `file` of a stream: 1080p with 4 Mbit/s unless said otherwise. */
export async function cameraFile(options: CameraFileOptions = {}): Promise<string> {
  const { codec = 'h264', width = 1920, height = 1080, fps = 25, bitrateKbps = 4_000 } = options;
  const { gopSeconds = 2, seconds = 10 } = options;
  const name = `${codec}-${width}x${height}-${fps}-${bitrateKbps}k-g${gopSeconds}-${seconds}s.${codec}`;
  const path = join(folder, name);
  if (existsSync(path)) return path;
  await mkdir(folder, { recursive: true });
  const part = `${path}.${process.pid}.part`;
  const gop = String(Math.round(gopSeconds * fps));
  const rate = `${bitrateKbps}k`;
  const encoder =
    codec === 'h264'
      ? ['-c:v', 'libx264', '-profile:v', 'high', '-x264-params', 'scenecut=0:nal-hrd=cbr:sliced-threads=0']
      : ['-c:v', 'libx265', '-x265-params', 'scenecut=0:log-level=error'];
  const source = `testsrc2=size=${width}x${height}:rate=${fps},noise=alls=12:allf=t`;
  await ffmpeg([
    ...['-f', 'lavfi', '-i', source, '-t', String(seconds), '-pix_fmt', 'yuv420p', ...encoder],
    ...['-preset', 'ultrafast', '-tune', 'zerolatency', '-bf', '0', '-g', gop, '-keyint_min', gop],
    ...['-b:v', rate, '-minrate', rate, '-maxrate', rate, '-bufsize', rate],
    // HEVC is the name of the format, whatever the standard is called.
    ...['-f', codec === 'h264' ? 'h264' : 'hevc', part],
  ]);
  await rename(part, path);
  return path;
}

async function makeSnapshot(size: string): Promise<Buffer> {
  const args = ['-f', 'lavfi', '-i', `testsrc2=size=${size}`, '-frames:v', '1', '-f', 'mjpeg', '-'];
  return await ffmpeg(args);
}

async function ffmpeg(args: readonly string[]): Promise<Buffer> {
  const { stdout } = await run('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-y', ...args], {
    encoding: 'buffer',
    timeout: encodeMsMax,
    maxBuffer: jpegBytesMax,
  });
  return stdout;
}
