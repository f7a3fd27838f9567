/**
 * WebRTC views: Janus offers, the browser answers. What must stay true: a view belongs to the session that asked for it,
 * keeps its relay running as long as it lasts, and ends with the right to it, with the stream's codec, or unanswered.
 */
import type { AccessClaims } from '@siphera/contract';
import type { StreamRooms, Viewer } from '@siphera/media';
import { AppError, type Clock, type Logger, type Random } from '@siphera/runtime';
import type { LiveStreams, RtpFeed, StreamKey } from '../../domain/media.ts';
import type { SessionWatch } from './session-watch.ts';

/** A page answers within a second; what it never answers costs Janus ports. */
const answerMsMax = 15_000;
/** A sub-stream has to be connected first. */
const rtpMsMax = 8_000;
/** A wall of 64 tiles, and another being opened. */
const perSessionMax = 96;

export type WebRtcOptions = {
  streams: LiveStreams;
  /** Undefined when the box has no Janus. */
  rooms: StreamRooms | undefined;
  sessions: SessionWatch;
  clock: Clock;
  random: Random;
  log: Logger;
  answerMs?: number;
};

type Open = {
  sid: string;
  cameraId: string;
  viewer: Viewer;
  timer: NodeJS.Timeout | undefined;
  close: () => void;
};

const fallback = { hint: 'The picture goes on as fMP4.' };

export class WebRtcSessions {
  readonly #options: WebRtcOptions;
  readonly #open = new Map<string, Open>();

  constructor(options: WebRtcOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#open.size;
  }

  /** @throws AppError `unavailable` with a hint when this view cannot go by WebRTC: the player stays with fMP4. */
  async offer(
    key: StreamKey,
    claims: AccessClaims,
    may: (claims: AccessClaims) => boolean,
  ): Promise<{ id: string; sdp: string }> {
    const { rooms, sessions, random } = this.#options;
    if (!rooms) throw new AppError('unavailable', 'This box has no WebRTC gateway.', fallback);
    if ([...this.#open.values()].filter(({ sid }) => sid === claims.sid).length >= perSessionMax)
      throw new AppError('overloaded', `A session has at most ${perSessionMax} WebRTC views.`, fallback);
    const id = random.uuid();
    const close = (): void => this.#close(id);
    const watch = new CodecWatch(this.#options.streams, key, close);
    try {
      const feed = await watch.feed(rtpMsMax);
      const viewer = await rooms.watch(roomOf(key), feed, { end: close });
      const letGo = sessions.hold(claims, may, close);
      const timer = setTimeout(close, this.#options.answerMs ?? answerMsMax);
      this.#open.set(id, {
        sid: claims.sid,
        cameraId: key.cameraId,
        viewer,
        timer,
        close: () => {
          watch.stop();
          letGo();
          viewer.hangUp();
        },
      });
      return { id, sdp: viewer.sdp };
    } catch (error) {
      watch.stop();
      throw error;
    }
  }

  /** @throws AppError `not_found` when there is none of this session. */
  async answer(id: string, sid: string, sdp: string): Promise<void> {
    const open = this.#of(id, sid);
    clearTimeout(open.timer);
    try {
      await open.viewer.answer(sdp);
    } catch (error) {
      this.#close(id);
      throw new AppError('unprocessable', 'Janus did not take the answer.', { cause: error });
    }
  }

  /** @throws AppError `not_found` when there is none of this session. */
  end(id: string, sid: string): void {
    this.#of(id, sid);
    this.#close(id);
  }

  /**
   * Its streams are gone for good, and their ports may be another camera's in a moment: nothing of Janus may listen on them
   * any more, or somebody would see what is not his to see.
   */
  endCamera(cameraId: string, reason: string): void {
    for (const role of ['main', 'sub'] as const)
      this.#options.rooms?.close(roomOf({ cameraId, role }), reason);
    for (const [id, open] of [...this.#open]) if (open.cameraId === cameraId) this.#close(id);
  }

  stop(): void {
    for (const id of [...this.#open.keys()]) this.#close(id);
  }

  #of(id: string, sid: string): Open {
    const open = this.#open.get(id);
    if (open?.sid !== sid) throw new AppError('not_found', 'There is no such view, or it has ended.');
    return open;
  }

  #close(id: string): void {
    const open = this.#open.get(id);
    if (!open) return;
    this.#open.delete(id);
    clearTimeout(open.timer);
    open.close();
  }
}

const roomOf = (key: StreamKey): string => `${key.cameraId} ${key.role}`;

/** Listens to a stream so that its relay runs, and says when what it sends can no longer go by WebRTC. */
class CodecWatch {
  readonly #streams: LiveStreams;
  readonly #key: StreamKey;
  readonly #stop: () => void;
  #began: (() => void) | undefined;

  constructor(streams: LiveStreams, key: StreamKey, changed: () => void) {
    this.#streams = streams;
    this.#key = key;
    this.#stop = streams.listen(key, {
      init: ({ video }) => {
        this.#began?.();
        if (video !== 'h264') changed();
      },
      fragment: () => undefined,
      lost: () => undefined,
    });
  }

  stop(): void {
    this.#stop();
  }

  async feed(waitMs: number): Promise<RtpFeed> {
    if (!this.#streams.rtp(this.#key)) await this.#begins(waitMs);
    const feed = this.#streams.rtp(this.#key);
    if (!feed)
      throw new AppError('device_unavailable', 'The camera sends no picture.', {
        hint: 'The box goes on trying.',
      });
    if (feed.videoCodec !== 'h264')
      throw new AppError('unavailable', `Browsers do not take ${feed.videoCodec} by WebRTC.`, fallback);
    return feed;
  }

  #begins(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#began = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
