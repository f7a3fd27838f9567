/** What an RTSP server says of its streams (SDP, RFC 8866; H.264 RFC 6184, H.265 RFC 7798). Pure. */
import type { AudioCodec, VideoCodec } from '@siphera/contract';
import type { z } from 'zod';

export type DescribedStream = {
  video: z.infer<typeof VideoCodec> | null;
  audio: z.infer<typeof AudioCodec>;
  fps: number | null;
};

const videos: Readonly<Record<string, DescribedStream['video']>> = {
  H264: 'h264',
  H265: 'h265',
  HEVC: 'h265',
};
const audios: Readonly<Record<string, DescribedStream['audio']>> = {
  PCMU: 'pcmu',
  PCMA: 'pcma',
  'MPEG4-GENERIC': 'aac',
  'MP4A-LATM': 'aac',
};
/** Payload types that need no rtpmap (RFC 3551 §6). */
const fixed: Readonly<Record<string, string>> = { '0': 'PCMU', '8': 'PCMA', '26': 'JPEG' };

export function readSdp(text: string): DescribedStream {
  const found: DescribedStream = { video: null, audio: 'none', fps: null };
  let kind = '';
  for (const line of text.split(/\r?\n/).slice(0, 500)) {
    const media = /^m=(video|audio|\w+) \d+ \S+ (\d+)/.exec(line);
    if (media) {
      kind = media[1] ?? '';
      note(found, kind, fixed[media[2] ?? '']);
    }
    note(found, kind, /^a=rtpmap:\d+ ([\w-]+)/.exec(line)?.[1]);
    const fps = Number(/^a=framerate:([\d.]+)/.exec(line)?.[1]);
    if (kind === 'video' && fps > 0 && fps <= 240) found.fps = fps;
    if (media && kind === 'video') found.video ??= 'other';
  }
  return found;
}

function note(found: DescribedStream, kind: string, codec: string | undefined): void {
  if (codec === undefined) return;
  const name = codec.toUpperCase();
  if (kind === 'video' && (found.video === null || found.video === 'other'))
    found.video = videos[name] ?? 'other';
  if (kind === 'audio' && (found.audio === 'none' || found.audio === 'other'))
    found.audio = audios[name] ?? 'other';
}
