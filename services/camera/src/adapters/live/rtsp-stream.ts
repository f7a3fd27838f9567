/** What one RTSP client plays: a stream's samples as RTP, from a key frame on, whole groups of pictures left out when it is slow. */
import { joinAt } from '../../domain/live-timeline.ts';
import type { Fragment, InitSegment } from '../../domain/media.ts';
import { readFragment, type TrackRun } from '../../domain/mp4-fragment.ts';
import { tracksOf, type Track } from '../../domain/mp4-init.ts';
import { rtpFormatOf, type RtpFormat } from '../../domain/rtp-format.ts';
import type { RtpSender } from '../../domain/rtp-sender.ts';

export type OfferedTrack = { track: Track; format: RtpFormat };

/** Tracks that can go over RTP, the picture first; none when the picture cannot. */
export function offeredTracks(init: InitSegment): OfferedTrack[] {
  const offered = tracksOf(init.bytes).flatMap((track) => {
    const format = rtpFormatOf(track);
    return format ? [{ track, format }] : [];
  });
  const video = offered.find(({ track }) => track.kind === 'video');
  const audio = offered.find(({ track }) => track.kind === 'audio');
  return video ? [video, ...(audio ? [audio] : [])] : [];
}

export function sdpOf(tracks: readonly OfferedTrack[]): string {
  const media = tracks.flatMap(({ format }, index) => [...format.sdp, `a=control:trackID=${index}`]);
  const session = ['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=Siphera', 'c=IN IP4 0.0.0.0', 't=0 0'];
  return [...session, 'a=control:*', 'a=range:npt=now-', ...media, ''].join('\r\n');
}

/** A sub-stream of samples of two tracks, told apart by the kind of track: ids may change when the camera connects again. */
export class RtspStream {
  readonly #senders = new Map<Track['kind'], RtpSender>();
  #tracks: Track[] = [];
  #format = '';
  #shift: number | undefined;
  readonly #ends = new Map<Track['kind'], number>();
  readonly #wall = new WallClock();
  #waitsForKey = true;

  constructor(init: InitSegment) {
    this.begin(init);
  }

  /** @returns false when the codec changed: what was said in the SDP no longer holds. */
  begin(init: InitSegment): boolean {
    this.#tracks = tracksOf(init.bytes);
    this.skip();
    const format = offeredTracks(init)
      .map(({ format: { sdp } }) => sdp[1])
      .join();
    const same = this.#format === '' || this.#format === format;
    this.#format = format;
    return same;
  }

  setUp(kind: Track['kind'], sender: RtpSender): void {
    this.#senders.set(kind, sender);
  }

  sender(kind: Track['kind']): RtpSender | undefined {
    return this.#senders.get(kind);
  }

  /** The next fragment that is sent begins with a key frame, and joins where the last one ended. */
  skip(): void {
    this.#shift = undefined;
    this.#waitsForKey = true;
  }

  packets(fragment: Fragment): Buffer[] {
    if (this.#waitsForKey && !fragment.key) return [];
    this.#waitsForKey = false;
    const runs = readFragment(fragment.bytes, this.#tracks)?.runs ?? [];
    const video = runs.find(({ track }) => track.kind === 'video');
    if (!video) return [];
    const startOf = ({ track, decodeTime }: TrackRun): number => decodeTime / track.timescale;
    this.#shift ??= this.#join(fragment, runs, startOf);
    const shift = this.#shift;
    for (const run of runs)
      this.#ends.set(run.track.kind, startOf(run) + shift + run.duration / run.track.timescale);
    const seconds = startOf(video) + shift;
    this.#wall.heard(seconds, fragment.startMs);
    return runs.flatMap(({ track, samples }) => {
      const sender = this.#senders.get(track.kind);
      if (!sender) return [];
      const at = (ticks: number): number => Math.max(0, ticks / track.timescale + shift);
      const report = fragment.key ? [sender.report(seconds, this.#wall.at(seconds))] : [];
      return [
        ...report,
        ...samples.flatMap(({ start, end, key, decodeTime, offset }) =>
          sender.packets({ bytes: fragment.bytes.subarray(start, end), key }, at(decodeTime + offset)),
        ),
      ];
    });
  }

  /** Time that passed between two connections passes here as well: to receivers it looks like lost packets, which it is. */
  #join(fragment: Fragment, runs: readonly TrackRun[], startOf: (run: TrackRun) => number): number {
    const starts = runs.map((run) => ({ kind: run.track.kind, start: startOf(run) }));
    const joined = joinAt(this.#ends, starts);
    const video = starts.find(({ kind }) => kind === 'video')?.start ?? 0;
    const passed = this.#wall.secondsAt(fragment.startMs);
    return passed === undefined ? joined : Math.max(joined, passed - video);
  }
}

/** Most that sender reports move the wall clock by from one to the next: a jump would be a jump of the picture. */
const slewMsMax = 1;

/** What the wall clock shows at a second of the connection's own time: follows the relay's clock slowly. */
class WallClock {
  /** Wall time at second 0. */
  #originMs: number | undefined;

  heard(seconds: number, wallMs: number): void {
    const origin = wallMs - seconds * 1_000;
    this.#originMs ??= origin;
    this.#originMs += Math.min(slewMsMax, Math.max(-slewMsMax, origin - this.#originMs));
  }

  at(seconds: number): number {
    return (this.#originMs ?? 0) + seconds * 1_000;
  }

  secondsAt(wallMs: number): number | undefined {
    return this.#originMs === undefined ? undefined : (wallMs - this.#originMs) / 1_000;
  }
}
