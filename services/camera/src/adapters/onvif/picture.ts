/** A picture by ffmpeg: from a stream, or made smaller. Bounded in time and bytes; at most a few at once. */
import { spawn } from 'node:child_process';
import { AppError } from '@siphera/runtime';

const timeoutMs = 12_000;
const bytesMax = 32_000_000;
/** Each takes a core for a moment; more wait for nothing. */
const atOnceMax = 4;
let running = 0;

export const pictureOf = (ffmpeg: string, url: string, width: number | undefined): Promise<Buffer> =>
  run(
    ffmpeg,
    ['-rtsp_transport', 'tcp', '-timeout', '8000000', '-i', url, '-an', ...smaller(width)],
    undefined,
  );

export const scaled = (ffmpeg: string, jpeg: Buffer, width: number): Promise<Buffer> =>
  run(ffmpeg, ['-f', 'mjpeg', '-i', 'pipe:0', ...smaller(width)], jpeg);

const smaller = (width: number | undefined): string[] =>
  width === undefined ? [] : ['-vf', `scale='min(${width},iw)':-2`];

async function run(ffmpeg: string, args: string[], input: Buffer | undefined): Promise<Buffer> {
  if (running >= atOnceMax) throw new AppError('overloaded', 'Too many pictures are being made at once.');
  running += 1;
  try {
    return await ffmpegOutput(ffmpeg, args, input);
  } finally {
    running -= 1;
  }
}

function ffmpegOutput(ffmpeg: string, args: string[], input: Buffer | undefined): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const all = [
      '-hide_banner',
      '-loglevel',
      'info',
      ...args,
      '-frames:v',
      '1',
      '-q:v',
      '4',
      '-f',
      'mjpeg',
      'pipe:1',
    ];
    const child = spawn(ffmpeg, all, { stdio: ['pipe', 'pipe', 'pipe'] });
    const parts: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.stdout.on('data', (part: Buffer) => {
      size += part.length;
      if (size > bytesMax) child.kill('SIGKILL');
      else parts.push(part);
    });
    // ffmpeg follows a redirect of RTSP, to an address that nobody checked.
    child.stderr.on('data', (words: Buffer) => {
      if (words.includes('Redirecting to ')) child.kill('SIGKILL');
    });
    // It ends as soon as it has its picture, whether all of the input was read or not.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.once('error', (cause) => {
      clearTimeout(timer);
      reject(new AppError('internal', 'ffmpeg cannot be started.', { cause }));
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      if (code === 0 && size > 0) resolve(Buffer.concat(parts));
      else reject(new AppError('device_unavailable', 'No picture came from the camera.'));
    });
  });
}
