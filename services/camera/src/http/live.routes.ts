/** Watching live over REST: fMP4 without end, and WebRTC. */
import { isGranted, type AccessClaims } from '@siphera/contract';
import { AppError } from '@siphera/runtime';
import type { ServerResponse } from 'node:http';
import type { LiveViews, ViewHead } from '../adapters/live/live-views.ts';
import type { SessionWatch } from '../adapters/live/session-watch.ts';
import type { WebRtcSessions } from '../adapters/live/webrtc-sessions.ts';
import type { CameraDirectory, KnownCamera } from '../domain/camera.ts';
import type { StreamKey } from '../domain/media.ts';
import type { CameraHandlers } from '../part.ts';
import { cameraFor } from './access.ts';

export type LiveParts = {
  directory: CameraDirectory;
  views: LiveViews;
  webRtc: WebRtcSessions;
  sessions: SessionWatch;
};

/** A wall of 64 tiles in each of a few windows. */
const perSessionMax = 192;

export function liveHandlers({
  directory,
  views,
  webRtc,
  sessions,
}: LiveParts): Pick<CameraHandlers, 'watchLive' | 'offerWebRtc' | 'answerWebRtc' | 'endWebRtc'> {
  /** Asked again and again while it goes on: the camera may be moved out of the caller's scope as well. */
  const mayWatch = (id: string) => (claims: AccessClaims) => {
    const camera = directory.get(id);
    return camera?.orgId === claims.org && isGranted(claims.grants, 'camera.live', camera.scopes);
  };
  return {
    watchLive: async ({ caller, params, query, response }) => {
      const camera = cameraFor(directory, caller, 'camera.live', params.id);
      if (sessions.count(caller.claims.sid) >= perSessionMax)
        throw new AppError('overloaded', `A session watches at most ${perSessionMax} pictures at once.`);
      const hold = sessions.hold.bind(sessions, caller.claims, mayWatch(camera.id));
      await views.open(
        {
          key: streamOf(camera, query.stream),
          plays: query.video.split(','),
          signal: goneSignal(response),
          hold,
        },
        (head) => beginLive(response, head),
      );
      return undefined;
    },

    offerWebRtc: async ({ caller, params, body }) => {
      const camera = cameraFor(directory, caller, 'camera.live', params.id);
      const key = streamOf(camera, body.stream);
      const { id, sdp } = await webRtc.offer(key, caller.claims, mayWatch(camera.id));
      return { session_id: id, sdp, stream: key.role };
    },

    answerWebRtc: ({ caller, params, body }) => webRtc.answer(params.id, caller.claims.sid, body.sdp),

    endWebRtc: async ({ caller, params }) => webRtc.end(params.id, caller.claims.sid),
  };
}

/** A camera with one stream only gives that. */
export const streamOf = (camera: KnownCamera, wanted: StreamKey['role']): StreamKey => ({
  cameraId: camera.id,
  role: camera.streams.some(({ role }) => role === wanted) ? wanted : 'main',
});

export function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return gone.signal;
}

export function beginLive(response: ServerResponse, { mime, transcoded }: ViewHead): ServerResponse {
  response.writeHead(200, {
    'content-type': mime,
    'x-siphera-stream-mime': mime,
    ...(transcoded ? { 'x-siphera-transcoded': '1' } : {}),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "sandbox; default-src 'none'",
  });
  response.flushHeaders();
  // Fragments are larger than a packet; the last, short packet of one must not wait for the next.
  response.socket?.setNoDelay(true);
  return response;
}
