/** Watches fake cameras with ffmpeg and ffprobe. */
import { afterAll, describe, expect, it } from 'vitest';
import { runCommand } from '../run-command.ts';
import { waitFor } from '../wait.ts';
import { type FakeCamera, startFakeCamera } from './fake-camera.ts';
import { cameraFile } from './media-files.ts';
import { readPictureClock } from './picture-clock.ts';
import { startRtspServer } from './rtsp-server.ts';

const cameras: FakeCamera[] = [];
afterAll(async () => {
  await Promise.all(cameras.map((camera) => camera.stop()));
});

describe('a fake camera over RTSP', () => {
  const streams = startFakeCamera({
    main: { audio: 'aac' },
    sub: { codec: 'h265', fps: 10, audio: 'pcmu' },
  });
  afterAll(async () => (await streams).stop());

  it('plays both streams to who knows the password, over TCP and UDP', async () => {
    const fake = await streams;
    expect(await probe(fake.rtspUrl('main'), 'tcp')).toEqual(['h264,640,360', 'aac']);
    expect(await probe(fake.rtspUrl('sub'), 'udp')).toEqual(['hevc,320,180', 'pcm_mulaw']);
    await expect(probe(fake.rtspUrl('main', { credentials: false }), 'tcp')).rejects.toThrow(/401/);
  });

  it('shows its clock in the picture', async () => {
    const fake = await streams;
    const picture = await frame(fake.rtspUrl('main'), { width: 640, height: 360 });
    const drawn = readPictureClock({ data: picture, width: 640, height: 360 });
    expect(Date.now() - (drawn ?? 0)).toBeLessThan(20_000);
    expect(Date.now() - (drawn ?? 0)).toBeGreaterThan(0);
  });

  it('keeps its parameter sets out of the stream when they are in the SDP only', async () => {
    const [plain, bare] = await Promise.all(
      [false, true].map((headersInSdpOnly) => startFakeCamera({ main: { headersInSdpOnly }, sub: false })),
    );
    cameras.push(plain!, bare!);
    expect(await unitTypes(plain!.rtspUrl())).toContain(spsUnit);
    expect(await unitTypes(bare!.rtspUrl())).not.toContain(spsUnit);
    expect(await frame(bare!.rtspUrl(), { width: 640, height: 360 })).toBeTruthy();
  });

  it.each(['h264', 'h265'] as const)('loops a %s file with times that only grow', async (codec) => {
    const file = await cameraFile({ codec, width: 320, height: 180, bitrateKbps: 200, seconds: 2 });
    await using fake = await startFakeCamera({ main: { mode: 'file', codec, file }, sub: false });
    const count = '130';
    const entries = ['-select_streams', 'v', '-show_entries', 'packet=pts', '-of', 'csv=p=0'];
    const args = ['-v', 'error', '-rtsp_transport', 'tcp', '-read_intervals', `%+#${count}`, ...entries];
    const lines = (await runCommand('ffprobe', [...args, fake.rtspUrl()])).match(/^\d+/gm) ?? [];
    expect(lines.length).toBeGreaterThan(Number(count) - 5);
    const steps = lines.slice(1).map((line, index) => Number(line) - Number(lines[index]));
    // A machine that is late hands a picture over in two packets, which have one time.
    expect(Math.min(...steps)).toBeGreaterThanOrEqual(0);
    expect(new Set(lines).size).toBeGreaterThan(Number(count) / 2);
  });

  it('serves many cameras by one process, each with a password of its own', async () => {
    await using rtsp = await startRtspServer();
    const [first, second] = await Promise.all([0, 1].map(() => startFakeCamera({ rtsp, sub: false })));
    cameras.push(first!, second!);
    const swapped = new URL(first!.rtspUrl());
    swapped.password = second!.credentials.password;
    await expect(probe(swapped.href, 'tcp')).rejects.toThrow(/401/);
    await first!.reboot({ downMs: 50 });
    expect(await probe(first!.rtspUrl(), 'tcp')).toEqual(['h264,640,360']);
    expect(await probe(second!.rtspUrl(), 'tcp')).toEqual(['h264,640,360']);
    await Promise.all([first!.stop(), second!.stop()]);
  });

  it('drops its viewers and takes them again', async () => {
    const fake = await streams;
    const viewer = runCommand('ffmpeg', [
      ...quiet,
      '-i',
      fake.rtspUrl('main'),
      '-c',
      'copy',
      '-f',
      'null',
      '-',
    ]);
    await waitFor('a viewer', async () => (await fake.rtspClients()) === 1);
    await waitFor('the drop', async () => (await fake.dropRtsp()) === 1);
    await viewer.catch((error: unknown) => error);
    expect(await fake.rtspClients()).toBe(0);
    expect(await probe(fake.rtspUrl('main'), 'tcp')).toHaveLength(2);
  });
});

const quiet = ['-hide_banner', '-loglevel', 'error', '-rtsp_transport', 'tcp'];

/** nal_unit_type of a sequence parameter set (ITU-T H.264, table 7-1). */
const spsUnit = 7;

/** The kinds of units of the first second or so, as they came. */
async function unitTypes(url: string): Promise<number[]> {
  const base64 = await runCommand('sh', [
    '-c',
    'ffmpeg -loglevel error -rtsp_transport tcp -i "$1" -c copy -frames:v 30 -f h264 - | base64 -w0',
    ...['sh', url],
  ]);
  const stream = Buffer.from(base64, 'base64');
  const types: number[] = [];
  for (let at = stream.indexOf('000001', 0, 'hex'); at >= 0; at = stream.indexOf('000001', at + 3, 'hex')) {
    types.push((stream[at + 3] ?? 0) & 31);
  }
  return types;
}

async function probe(url: string, transport: 'tcp' | 'udp'): Promise<string[]> {
  const entries = 'stream=codec_name,width,height';
  const args = ['-v', 'error', '-rtsp_transport', transport, '-show_entries', entries, '-of', 'csv=p=0', url];
  return (await runCommand('ffprobe', args)).trim().split('\n');
}

/** One decoded picture as RGB. */
async function frame(url: string, { width, height }: { width: number; height: number }): Promise<Buffer> {
  const base64 = await runCommand('sh', [
    '-c',
    'ffmpeg -loglevel error -rtsp_transport tcp -i "$1" -frames:v 1 -f rawvideo -pix_fmt rgb24 - | base64 -w0',
    ...['sh', url],
  ]);
  const picture = Buffer.from(base64, 'base64');
  expect(picture).toHaveLength(width * height * 3);
  return picture;
}
