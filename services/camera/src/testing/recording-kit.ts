/** Fake cameras in the service, and what ffprobe reads in footage: for tests of recorder and playback. */
import { execFileSync } from 'node:child_process';
import { RecordingPolicy } from '@siphera/contract';
import type { FakeCamera } from '@siphera/testkit';
import type { CameraRow } from '../domain/camera-row.ts';
import type { Rig } from './rig.ts';

const stream = (url: string): CameraRow['streams'][number] => ({
  role: 'main',
  url,
  profile_token: null,
  video: null,
  audio: null,
  width: null,
  height: null,
  fps: null,
  bitrate_bps: null,
});

/** Puts a fake camera into the service without asking it anything. @returns its id. */
export function place(
  rig: Rig,
  camera: Pick<FakeCamera, 'rtspUrl' | 'credentials'>,
  more: { policy?: Partial<RecordingPolicy>; credentials?: FakeCamera['credentials']; name?: string } = {},
): string {
  const row = {
    streams: [stream(camera.rtspUrl('main', { credentials: false }))],
    credentials: more.credentials ?? camera.credentials,
    recording: RecordingPolicy.parse(more.policy ?? {}),
  };
  return rig.place(row, more.name).id;
}

/** Codec and number of pictures of the video in an MP4. */
export function probe(bytes: Buffer): { codec: string; frames: number } {
  const entries = 'stream=codec_name,nb_read_packets';
  const args = [
    '-v',
    'error',
    '-count_packets',
    '-select_streams',
    'v',
    '-show_entries',
    entries,
    '-of',
    'csv=p=0',
    '-',
  ];
  const [codec = '', frames = '0'] = execFileSync('ffprobe', args, { input: bytes, encoding: 'utf8' })
    .trim()
    .split(',');
  return { codec, frames: Number(frames) };
}
