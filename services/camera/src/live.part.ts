/** Watching as a part of the service: live pictures, WebRTC, links and the RTSP re-stream, layouts, settings. */
import { JanusLink, StreamRooms } from '@siphera/media';
import { LinkDoor } from './adapters/live/link-door.ts';
import { LiveViews } from './adapters/live/live-views.ts';
import { MakerRights } from './adapters/live/maker-rights.ts';
import { RtspServer } from './adapters/live/rtsp-server.ts';
import { sharedSnapshots } from './adapters/live/shared-snapshots.ts';
import { SessionWatch } from './adapters/live/session-watch.ts';
import { WebRtcSessions } from './adapters/live/webrtc-sessions.ts';
import type { Transcoder } from './adapters/transcode.ts';
import type { KeptFootage, Snapshooter } from './domain/kept-footage.ts';
import type { LiveStreams } from './domain/media.ts';
import type { Ground } from './ground.ts';
import { layoutHandlers } from './http/layouts.routes.ts';
import { linkHandlers } from './http/links.routes.ts';
import { liveHandlers } from './http/live.routes.ts';
import { settingsHandlers } from './http/settings.routes.ts';
import type { Base, HealthCheck, Part } from './part.ts';
import { LayoutStore } from './store/layout.store.ts';
import { LinkStore } from './store/link.store.ts';
import type { SettingsStore } from './store/settings.store.ts';

/** Each is a few megabits of SRTP to encrypt. */
const webRtcViewersMax = 128;

export type LiveNeeds = {
  streams: LiveStreams;
  transcoder: Transcoder;
  settings: SettingsStore;
  /** For links to clips and to snapshots. */
  footage?: KeptFootage;
  snapshot?: Snapshooter;
};

export function createLivePart(ground: Ground, base: Base, needs: LiveNeeds): Part {
  const { clock, db, directory } = ground;
  const sessions = new SessionWatch({ clock, isRevoked: (claims) => base.isRevoked(claims) });
  const views = new LiveViews({ ...ground, ...needs });
  const janus = createJanus(ground);
  const webRtc = new WebRtcSessions({ ...ground, ...needs, rooms: janus?.rooms, sessions });
  const links = new LinkStore(db);
  const door = new LinkDoor({ ...ground, links, rights: new MakerRights(ground) });
  const rtsp = createRtsp(ground, needs.streams, door);
  let rtspPort: number | undefined;
  const offSignals = ground.signals.on((signal) => {
    if (signal.kind !== 'directory' || directory.get(signal.cameraId)?.enabled === true) return;
    const reason = 'The camera was switched off or removed.';
    webRtc.endCamera(signal.cameraId, reason);
    views.endCamera(signal.cameraId, reason);
  });
  return {
    name: 'live',
    handlers: {
      ...liveHandlers({ directory, views, webRtc, sessions }),
      ...linkHandlers({
        ground,
        links,
        door,
        views,
        footage: needs.footage,
        snapshot: needs.snapshot && sharedSnapshots(needs.snapshot, clock),
        rtspPort: () => rtspPort,
      }),
      ...layoutHandlers({ ...ground, layouts: new LayoutStore(db) }),
      ...settingsHandlers({ ...ground, settings: needs.settings }),
    },
    onCaller: (claims) => sessions.saw(claims),
    checks: () => (janus ? [janusCheck(janus.link)] : []),
    start: async () => {
      sessions.start();
      door.start();
      janus?.link.start();
      rtspPort = await rtsp?.start();
    },
    stop: async () => {
      offSignals();
      sessions.stop({ code: 'stopping', reason: 'The camera service stops.' });
      door.stop();
      views.stop();
      webRtc.stop();
      janus?.link.stop();
      await rtsp?.stop();
      needs.transcoder.stop();
    },
  };
}

function createJanus({
  config,
  clock,
  log,
  random,
}: Ground): { link: JanusLink; rooms: StreamRooms } | undefined {
  const { JANUS_URL: url, JANUS_SECRET: secret } = config;
  if (url === undefined || secret === undefined) return undefined;
  const link = new JanusLink({ url, secret, clock, log, random });
  return { link, rooms: new StreamRooms({ link, log, viewersMax: webRtcViewersMax }) };
}

function createRtsp(ground: Ground, streams: LiveStreams, door: LinkDoor): RtspServer | undefined {
  const listen = ground.config.CAMERA_RTSP_LISTEN;
  if (listen === undefined) return undefined;
  const split = listen.lastIndexOf(':');
  return new RtspServer({
    ...ground,
    host: listen.slice(0, split),
    port: Number(listen.slice(split + 1)),
    streams,
    door,
  });
}

/** Not `down`: without Janus the picture goes on as fMP4. */
const janusCheck = (link: JanusLink): HealthCheck =>
  link.isUp()
    ? { name: 'janus', state: 'ok', detail: 'connected' }
    : { name: 'janus', state: 'degraded', detail: 'away: live view goes on as fMP4, a little later' };
