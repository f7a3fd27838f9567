/** The command line of a relay, and what its messages say of the stream. Pure: what ffmpeg is asked, and how it is understood. */
import type { RtpFeed } from './media.ts';

/** What is known of a stream before it is opened: from ONVIF, or from ffmpeg's own words the time before. */
export type StreamCodecs = {
  video: 'h264' | 'h265' | 'other' | undefined;
  audio: 'aac' | 'pcmu' | 'pcma' | 'other' | 'none' | undefined;
};

export type RelayPorts = { video: number; audio: number };

/** A fragment at least this often: with the picture under way, what a power cut costs. */
const fragmentMs = 500;
/** Largest RTP packet, in bytes: with SRTP's and TURN's additions it still fits an Ethernet frame. */
const rtpPacketBytes = 1_200;
/** ffmpeg ends by itself when the camera says nothing for this long. */
const silenceMsMax = 8_000;

/** The address stands in the command line, credentials included: what that means, and why it stays so, is in ADR 0008. */
export function relayArguments(options: {
  url: string;
  /** Undefined where there is no Janus to listen: RTP costs as much again as half of the recording. */
  ports: RelayPorts | undefined;
  codecs: StreamCodecs;
  /** How long to look at the stream before writing: longer for one whose parameters did not come in time. */
  analyseMs: number;
}): string[] {
  const { url, ports, codecs, analyseMs } = options;
  const input = [
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'info', '-threads', '1'],
    ...['-rtsp_transport', 'tcp', '-timeout', String(silenceMsMax * 1_000)],
    // No guess at the frame rate, which MP4 does not need: it takes twenty pictures. And not `nobuffer`: it throws the pictures
    // away that were looked at, with them the first key frame.
    ...['-fpsprobesize', '0', '-analyzeduration', String(analyseMs * 1_000), '-probesize', '5000000'],
    ...['-i', url],
  ];
  return [...input, ...fileOutput(codecs), ...(ports ? rtpOutputs(codecs, ports) : [])];
}

/** Fragmented MP4 on stdout. MP4 holds no G.711, so that becomes AAC there; the picture is never encoded. */
function fileOutput({ video, audio }: StreamCodecs): string[] {
  const sound = ['-map', '0:a:0?', ...(audio === 'aac' ? ['-c:a', 'copy'] : ['-c:a', 'aac', '-b:a', '48k'])];
  return [
    ...['-map', '0:v:0', '-c:v', 'copy', ...(video === 'h265' ? ['-tag:v', 'hvc1'] : [])],
    ...(audio === 'none' ? ['-an'] : sound),
    // Sound that stops must not hold the picture back.
    ...['-max_interleave_delta', '300000', '-map_metadata', '-1'],
    ...['-f', 'mp4', '-movflags', 'frag_keyframe+empty_moov+default_base_moof'],
    ...['-frag_duration', String(fragmentMs * 1_000), '-flush_packets', '1', 'pipe:1'],
  ];
}

/** RTP to loopback. The socket is not connected, so that nobody listening (ICMP) is no error. */
function rtpOutputs(codecs: StreamCodecs, ports: RelayPorts): string[] {
  const to = (port: number): string => `rtp://127.0.0.1:${port}?pkt_size=${rtpPacketBytes}`;
  // Browsers decode only what brings its parameter sets along in the stream itself.
  const inBand = ['-bsf:v', 'dump_extra=freq=keyframe', '-f', 'rtp', '-payload_type', '96'];
  return [
    ...(codecs.video === 'h264' || codecs.video === 'h265'
      ? ['-map', '0:v:0', '-c:v', 'copy', '-an', ...inBand, to(ports.video)]
      : []),
    ...(codecs.audio === 'pcmu' || codecs.audio === 'pcma'
      ? ['-map', '0:a:0', '-c:a', 'copy', '-vn', '-f', 'rtp', to(ports.audio)]
      : []),
  ];
}

export function rtpFeed(codecs: StreamCodecs, ports: RelayPorts): RtpFeed | undefined {
  if (codecs.video !== 'h264' && codecs.video !== 'h265') return undefined;
  const { audio } = codecs;
  return {
    videoPort: ports.video,
    videoCodec: codecs.video,
    audio: audio === 'pcmu' || audio === 'pcma' ? { port: ports.audio, codec: audio } : undefined,
  };
}

const videoNames: Readonly<Record<string, 'h264' | 'h265'>> = { h264: 'h264', hevc: 'h265' };
const audioNames: Readonly<Record<string, 'aac' | 'pcmu' | 'pcma'>> = {
  aac: 'aac',
  pcm_mulaw: 'pcmu',
  pcm_alaw: 'pcma',
};

/**
 * Learns the codecs from what ffmpeg prints of its input. Undefined until it has printed it; a stream without sound has
 * `none`. Only the first stream of a kind counts, as in the command line.
 */
export class InputReader {
  #inInput = false;
  #video: StreamCodecs['video'];
  #audio: StreamCodecs['audio'];

  /** @returns the codecs, once, when the description of the input is over. */
  line(text: string): StreamCodecs | undefined {
    if (text.startsWith('Input #0')) {
      this.#inInput = true;
      return undefined;
    }
    if (!this.#inInput) return undefined;
    const stream = /^\s+Stream #0:\d+.*?: (Video|Audio): (\w+)/.exec(text);
    if (stream?.[1] === 'Video') this.#video ??= videoNames[stream[2] ?? ''] ?? 'other';
    if (stream?.[1] === 'Audio') this.#audio ??= audioNames[stream[2] ?? ''] ?? 'other';
    if (!/^(Output #|Stream mapping)/.test(text)) return undefined;
    this.#inInput = false;
    return { video: this.#video, audio: this.#audio ?? 'none' };
  }
}

/** Whether a command made for `asked` does right by a stream that is `found`. */
export const isRightFor = (asked: StreamCodecs, found: StreamCodecs): boolean =>
  asked.video === found.video && (asked.audio ?? 'other') === (found.audio ?? 'other');
