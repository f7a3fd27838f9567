/** Links for integrators: made, listed, withdrawn, opened. */
import type { CameraLink, footageRoutes } from '@siphera/contract';
import { AppError, fromRfc3339, toRfc3339, type Call, type Caller, type Download } from '@siphera/runtime';
import { Readable } from 'node:stream';
import type { z } from 'zod';
import { clipBytes } from '../adapters/live/clip-stream.ts';
import type { LinkDoor, Opened } from '../adapters/live/link-door.ts';
import type { LiveViews } from '../adapters/live/live-views.ts';
import { permissionOf } from '../adapters/live/maker-rights.ts';
import type { KeptFootage, Snapshooter } from '../domain/kept-footage.ts';
import type { Ground } from '../ground.ts';
import type { CameraHandlers } from '../part.ts';
import type { LinkRow, LinkStore } from '../store/link.store.ts';
import { cameraFor, mayOnCamera } from './access.ts';
import { auditOf } from './audit.ts';
import { beginLive, goneSignal, streamOf } from './live.routes.ts';

/** More than one box's integrations need; each is a row that somebody has to look through. */
const linksMax = 1_000;
/** A clip is a moment, not a day: the box would read its disks for nobody in particular. */
const clipMsMax = 3_600_000;

export type LinkParts = {
  ground: Pick<Ground, 'config' | 'clock' | 'random' | 'db' | 'outbox' | 'directory' | 'log'>;
  links: LinkStore;
  door: LinkDoor;
  views: LiveViews;
  footage: KeptFootage | undefined;
  snapshot: Snapshooter | undefined;
  /** Port of the RTSP server; undefined when it is switched off. */
  rtspPort: () => number | undefined;
};
type Names = 'listCameraLinks' | 'createCameraLink' | 'deleteCameraLink' | 'openCameraLink';
type CreateBody = Call<typeof footageRoutes.createCameraLink>['body'];

export function linkHandlers(parts: LinkParts): Pick<CameraHandlers, Names> {
  const { ground, links, door } = parts;
  const { db, outbox, directory } = ground;
  return {
    listCameraLinks: async ({ caller }) => ({
      items: links
        .list(caller.claims.org)
        .filter((link) => mayManage(parts, caller, link))
        .map(toWire),
    }),

    createCameraLink: async ({ caller, body }) => {
      const camera = cameraFor(directory, caller, permissionOf(body.kind), body.camera_id);
      const link = newLink(parts, caller, body);
      const token = door.newToken();
      const url = urlOf(parts, link, token);
      const change = db.transaction(() => {
        if (links.count() >= linksMax)
          throw new AppError('unprocessable', `There are ${linksMax} links, the most there may be.`, {
            hint: 'Withdraw some.',
          });
        links.add(link, token);
        const { kind, name, from, to } = body;
        const detail = { kind, name, from, to, expires_at: toRfc3339(link.expiresMs) };
        auditOf(outbox, caller, { action: 'camera_link.create', target: `camera:${camera.id}`, detail });
      });
      change.immediate();
      return { ...toWire(link), url };
    },

    deleteCameraLink: async ({ caller, params }) => {
      const link = links.get(params.id);
      const isOwn = link?.makerId === caller.claims.sub;
      if (link?.orgId !== caller.claims.org || (!isOwn && !mayManage(parts, caller, link)))
        throw new AppError('not_found', 'There is no such link.');
      const change = db.transaction(() => {
        links.remove(link.id);
        const detail = { kind: link.kind, name: link.name, uses: link.uses };
        auditOf(outbox, caller, { action: 'camera_link.delete', target: `camera:${link.cameraId}`, detail });
      });
      change.immediate();
      await door.look();
    },

    openCameraLink: async ({ params, address, response }) => {
      const opened = await door.open(params.token, address, ['snapshot', 'live', 'clip']);
      try {
        return await show(parts, opened, response);
      } catch (error) {
        if (error instanceof AppError) throw error;
        // Not handed on: the path that would be logged with it holds the token.
        ground.log.error('link_failed', { error, link: opened.link.id });
        throw new AppError('unavailable', 'What the link shows cannot be shown now.');
      }
    },
  };
}

function mayManage({ ground }: LinkParts, caller: Caller, link: LinkRow): boolean {
  const camera = ground.directory.get(link.cameraId);
  return camera !== undefined && mayOnCamera(caller, 'camera.manage', camera);
}

function newLink({ ground }: LinkParts, { claims }: Caller, body: CreateBody): LinkRow {
  const nowMs = ground.clock.now();
  return {
    id: ground.random.uuid(),
    orgId: claims.org,
    cameraId: body.camera_id,
    kind: body.kind,
    name: body.name,
    ...clipSpan(body),
    makerKind: claims.kind,
    makerId: claims.sub,
    makerName: claims.name,
    createdMs: nowMs,
    expiresMs: nowMs + body.expires_in_seconds * 1_000,
    lastUsedMs: null,
    uses: 0,
  };
}

/** @throws AppError `unprocessable` unless a clip, and nothing else, says from when to when. */
function clipSpan({ kind, from, to }: CreateBody): Pick<LinkRow, 'fromMs' | 'toMs'> {
  if (kind !== 'clip') {
    if (from !== null || to !== null) throw new AppError('unprocessable', 'Only a clip has from and to.');
    return { fromMs: null, toMs: null };
  }
  const [fromMs, toMs] = [fromRfc3339(from ?? ''), fromRfc3339(to ?? '')];
  if (fromMs === undefined || toMs === undefined || toMs <= fromMs || toMs - fromMs > clipMsMax)
    throw new AppError('unprocessable', 'A clip needs from and to, at most an hour apart.');
  return { fromMs, toMs };
}

function urlOf({ ground, rtspPort }: LinkParts, link: LinkRow, token: string): string {
  const { PUBLIC_URL, PUBLIC_HOST_NAME } = ground.config;
  if (link.kind !== 'rtsp') return `${PUBLIC_URL}/api/v1/camera/open/${token}`;
  const port = rtspPort();
  if (port === undefined)
    throw new AppError('unavailable', 'The RTSP re-stream is switched off on this box.', {
      hint: 'Switch it on with ./install.sh --rtsp-port 8554 (CAMERA_RTSP_LISTEN).',
    });
  return `rtsp://${PUBLIC_HOST_NAME}:${port}/${token}`;
}

async function show(
  { views, door, footage, snapshot }: LinkParts,
  opened: Opened,
  response: Call<typeof footageRoutes.openCameraLink>['response'],
): Promise<Download | undefined> {
  const { link, camera } = opened;
  switch (link.kind) {
    case 'snapshot':
      if (!snapshot) throw new AppError('unavailable', 'This box makes no snapshots.');
      return { mediaType: 'image/jpeg', body: await snapshot(camera.id) };
    case 'live': {
      const hold = door.hold.bind(door, opened);
      const key = streamOf(camera, 'main');
      await views.open({ key, plays: ['h264'], signal: goneSignal(response), hold }, (head) =>
        beginLive(response, head),
      );
      return undefined;
    }
    case 'clip': {
      const runs = footage?.runs(camera.id, link.fromMs ?? 0, link.toMs ?? 0) ?? [];
      if (!footage || runs.length === 0)
        throw new AppError('gone', 'There is no footage of that time any more.');
      response.once(
        'close',
        door.hold(opened, () => void response.destroy()),
      );
      return { mediaType: 'video/mp4', body: Readable.from(clipBytes(footage, runs)) };
    }
    case 'rtsp':
      throw new AppError('not_found', 'There is no such link.');
  }
}

const toWire = (link: LinkRow): z.input<typeof CameraLink> => ({
  id: link.id,
  camera_id: link.cameraId,
  kind: link.kind,
  name: link.name,
  from: link.fromMs === null ? null : toRfc3339(link.fromMs),
  to: link.toMs === null ? null : toRfc3339(link.toMs),
  expires_at: toRfc3339(link.expiresMs),
  created_by: link.makerName,
  ...(link.lastUsedMs === null ? {} : { last_used_at: toRfc3339(link.lastUsedMs) }),
  uses: link.uses,
});
