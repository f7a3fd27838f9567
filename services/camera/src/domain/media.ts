/** What a relay hands on, and how recorder, live view and exports listen to it. Pure types: the seam between those parts. */
import type { StreamRole } from '@siphera/contract';

export type StreamKey = { cameraId: string; role: StreamRole };

/** The start of a fragmented MP4 (ISO/IEC 14496-12: ftyp and moov), the same until the camera's stream changes. */
export type InitSegment = {
  bytes: Buffer;
  /** MIME type with codecs (RFC 6381), e.g. `video/mp4; codecs="avc1.64001f, mp4a.40.2"`. */
  mime: string;
  video: 'h264' | 'h265' | 'other';
  width: number;
  height: number;
  /** Ticks a second of the video track. */
  timescale: number;
};

/** One `moof` and its `mdat`: about half a second. */
export type Fragment = {
  bytes: Buffer;
  /** Begins with a key frame, so a player or a file can begin here. */
  key: boolean;
  /** Wall time of its first picture, UTC ms, smoothed; never goes back inside one connection. */
  startMs: number;
  durationMs: number;
  /** baseMediaDecodeTime of the video track, in ticks. */
  decodeTime: number;
};

export type StreamListener = {
  /** At the beginning, and again when the stream was connected anew or changed. A key fragment follows. */
  init(init: InitSegment): void;
  fragment(fragment: Fragment): void;
  /** The connection is gone; the relay connects again by itself. `reason` in words for people. */
  lost(reason: string): void;
};

/** Where ffmpeg sends RTP of a stream on loopback, whether anybody listens or not. */
export type RtpFeed = {
  videoPort: number;
  videoCodec: 'h264' | 'h265' | 'other';
  /** Present where the camera's sound can go as it is (G.711). */
  audio: { port: number; codec: 'pcmu' | 'pcma' } | undefined;
};

export type LiveStreams = {
  /**
   * Listens to a stream, starting its relay when it does not run (sub-streams); from the last key frame on where `fromKey`.
   * @returns how to end it; the last listener of a sub-stream ends its relay a little later.
   */
  listen(key: StreamKey, listener: StreamListener, options?: { fromKey?: boolean }): () => void;
  /** Undefined while the stream is not connected. */
  rtp(key: StreamKey): RtpFeed | undefined;
  /** What is known of a running stream; undefined while it is not connected. */
  current(key: StreamKey): { init: InitSegment; lastFragmentMs: number; bitrateBps: number } | undefined;
};
