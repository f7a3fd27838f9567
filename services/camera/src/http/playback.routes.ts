/** Playing back over REST: the timeline, segments, single pictures. Each reading of footage names a session. */
import { Readable } from 'node:stream';
import { AppError, fromRfc3339, toRfc3339, type Caller } from '@siphera/runtime';
import type { Footage, FootageSegment } from '../adapters/recorder/footage.ts';
import type { Stills } from '../adapters/stills.ts';
import type { Transcoder } from '../adapters/transcode.ts';
import type { FootageCamera } from '../domain/camera.ts';
import type { Ground } from '../ground.ts';
import type { CameraHandlers } from '../part.ts';
import { footageFor } from './access.ts';
import { auditOf } from './audit.ts';
import { toSegment, toTimeline } from './footage-wire.ts';
import type { PlaybackSessions } from './playback-sessions.ts';

export type PlaybackParts = {
  ground: Ground;
  footage: Footage;
  stills: Pick<Stills, 'at'>;
  transcoder: Pick<Transcoder, 'convert'>;
  sessions: PlaybackSessions;
  settings: { get(): { reason_required: boolean } };
};

type PlaybackHandlers = Pick<
  CameraHandlers,
  'createPlaybackSession' | 'getCameraTimeline' | 'listSegments' | 'getSegment' | 'getThumbnail'
>;

const weekMs = 7 * 86_400_000;
/** An hour, and what a segment may reach over it on both sides. */
const hourMs = 3_600_000 + 120_000;

export function playbackHandlers(parts: PlaybackParts): PlaybackHandlers {
  const { ground, footage, sessions } = parts;
  /** The camera, when the caller may look at its footage and has said why. */
  const looked = (caller: Caller, cameraId: string, session: string): FootageCamera => {
    const camera = footageFor(ground.directory, caller, 'camera.playback', cameraId);
    sessions.check(caller, session, cameraId);
    return camera;
  };
  const segmentOf = (cameraId: string, id: number): FootageSegment => {
    const segment = footage.segment(id);
    // An id of another camera is none of this one: nothing is told of what the caller may not see.
    if (segment?.cameraId !== cameraId)
      throw new AppError('not_found', 'This footage is not there any more.');
    return segment;
  };
  return {
    createPlaybackSession: async (call) => openSession(parts, call),

    getCameraTimeline: async ({ caller, params, query }) => {
      const { id } = footageFor(ground.directory, caller, 'camera.playback', params.id);
      const { fromMs, toMs } = rangeOf(query, weekMs);
      return toTimeline(id, footage.timeline(id, fromMs, toMs));
    },

    listSegments: async ({ caller, params, query }) => {
      const { id } = looked(caller, params.id, query.session);
      const { fromMs, toMs } = rangeOf(query, hourMs);
      return { items: footage.segments(id, fromMs, toMs).map(toSegment) };
    },

    getSegment: async ({ caller, params, query }) => {
      const { id } = looked(caller, params.id, query.session);
      const segment = segmentOf(id, params.segment);
      const fromMs = query.from === undefined ? undefined : timeOf(query.from);
      const bytes = Readable.from(footage.open(segment.id, fromMs), { objectMode: false });
      if (query.transcode === '0') return { mediaType: 'video/mp4', body: bytes };
      return { mediaType: 'video/mp4', body: parts.transcoder.convert(bytes) };
    },

    getThumbnail: async ({ caller, params, query }) => {
      const { id } = looked(caller, params.id, query.session);
      const jpeg = await parts.stills.at(id, timeOf(query.at), query.width);
      if (!jpeg) throw new AppError('not_found', 'There is no footage of this moment.');
      return { mediaType: 'image/jpeg', body: jpeg, cacheSeconds: 3_600 };
    },
  };
}

async function openSession(
  { ground, sessions, settings }: PlaybackParts,
  { caller, body }: Parameters<CameraHandlers['createPlaybackSession']>[0],
): ReturnType<CameraHandlers['createPlaybackSession']> {
  const ids = [...new Set(body.camera_ids)];
  for (const id of ids) footageFor(ground.directory, caller, 'camera.playback', id);
  const reason = body.reason.trim();
  if (reason === '' && settings.get().reason_required)
    throw new AppError('validation_failed', 'Say why the footage is looked at.', {
      extra: { errors: [{ path: 'body.reason', message: 'must not be empty' }] },
    });
  const session = sessions.open(caller, ids, reason);
  const open = ground.db.transaction(() => {
    for (const id of ids)
      auditOf(ground.outbox, caller, {
        action: 'footage.play',
        target: `camera:${id}`,
        detail: {
          session: session.id,
          reason,
          ...(body.incident_id === undefined ? {} : { incident_id: body.incident_id }),
        },
      });
  });
  // Without its row in the audit log nothing is looked at.
  open.immediate();
  return { id: session.id, camera_ids: ids, reason, expires_at: toRfc3339(session.expiresMs) };
}

function rangeOf(query: { from: string; to: string }, longestMs: number): { fromMs: number; toMs: number } {
  const fromMs = timeOf(query.from);
  const toMs = timeOf(query.to);
  if (toMs <= fromMs) throw new AppError('validation_failed', '"to" must lie after "from".');
  if (toMs - fromMs > longestMs)
    throw new AppError(
      'validation_failed',
      `The range is longer than ${Math.round(longestMs / 3_600_000)} hours.`,
    );
  return { fromMs, toMs };
}

function timeOf(text: string): number {
  const ms = fromRfc3339(text);
  if (ms === undefined) throw new AppError('validation_failed', `${text} is no time.`);
  return ms;
}
