/** Cameras over REST: list, add, change, change many, remove. */
import {
  internalPaths,
  type Camera,
  type CameraInput,
  type cameraRoutes,
  type CameraPatch,
} from '@siphera/contract';
import { AppError, type Call, type Caller, type Handlers } from '@siphera/runtime';
import { hostOf, onvifEndpoint, endpointAddress, endpointUrl } from '../domain/address.ts';
import { wantedProfiles, type CameraRow } from '../domain/camera-row.ts';
import type { KnownCamera } from '../domain/camera.ts';
import type { Ground } from '../ground.ts';
import type { Base } from '../part.ts';
import type { Onvif } from '../adapters/onvif/create-onvif.ts';
import { endpointOf } from '../adapters/onvif/discovery.ts';
import { examine, examinedRtsp, type Examined } from '../adapters/onvif/examine.ts';
import { isSameCamera, withExamined } from '../adapters/onvif/learned.ts';
import { cameraFor, camerasFor, mayOnCamera } from './access.ts';
import { auditOf } from './audit.ts';
import {
  actorOf,
  addDevice,
  areaFor,
  auditDetail,
  newRow,
  unseenStreams,
  withPatch,
} from './camera-changes.ts';
import { toCamera } from './wire.ts';

type Names = 'listCameras' | 'createCamera' | 'getCamera' | 'updateCamera' | 'updateCameras' | 'deleteCamera';
type CameraHandlers = Pick<Handlers<typeof cameraRoutes>, Names>;
type Parts = { ground: Ground; base: Base; onvif: Onvif };

export function cameraHandlers(parts: Parts): CameraHandlers {
  const { ground, base } = parts;
  const { directory } = ground;
  return {
    listCameras: async ({ caller }) => ({
      items: camerasFor(directory, caller, 'camera.live').map((camera) => shown(parts, camera)),
      feed_seq: base.feedPosition(),
    }),

    getCamera: async ({ caller, params }) =>
      shown(parts, cameraFor(directory, caller, 'camera.live', params.id)),

    createCamera: async (call) => create(parts, call),

    updateCamera: async ({ caller, params, body }) => {
      cameraFor(directory, caller, 'camera.manage', params.id);
      const change = await changeOf(parts, rowOf(base, params.id), body);
      // While the camera was asked it may have been removed, moved or changed: what was asked for goes onto what it is now.
      cameraFor(directory, caller, 'camera.manage', params.id);
      const row = change.onto(rowOf(base, params.id));
      base.registry.save(row, () => auditPatch(ground, caller, params.id, body));
      if (change.renew) parts.onvif.links.renew(params.id);
      return shown(parts, cameraFor(directory, caller, 'camera.manage', params.id));
    },

    updateCameras: async ({ caller, body }) => {
      const ids = [...new Set(body.ids)];
      for (const id of ids) cameraFor(directory, caller, 'camera.manage', id);
      const rows = ids.map((id) => patchedWithoutAsking(rowOf(base, id), body.patch));
      base.registry.saveAll(rows, () => {
        for (const id of ids) auditPatch(ground, caller, id, body.patch);
      });
      if (asksAnew(body.patch)) for (const id of ids) parts.onvif.links.renew(id);
      return { items: ids.map((id) => shown(parts, cameraFor(directory, caller, 'camera.manage', id))) };
    },

    deleteCamera: async ({ caller, params, address }) => {
      const camera = cameraFor(directory, caller, 'camera.manage', params.id);
      try {
        await ground.client.call('POST', internalPaths.removeDevice, {
          actor: actorOf(caller, address),
          device_id: params.id,
        });
      } catch (error) {
        // Core has forgotten it before us.
        if (!(error instanceof AppError) || error.code !== 'not_found') throw error;
      }
      // Core's feed may have brought it already, and with it the end of the row.
      auditOf(ground.outbox, caller, {
        action: 'camera.delete',
        target: `camera:${params.id}`,
        detail: { name: camera.name },
      });
      base.registry.remove(params.id);
    },
  };
}

const shown = ({ base }: Parts, camera: KnownCamera): Camera =>
  toCamera(rowOf(base, camera.id), camera, base.states.get(camera.id));

function rowOf({ registry }: Base, id: string): CameraRow {
  const row = registry.row(id);
  if (!row) throw new AppError('not_found', 'There is no such camera.');
  return row;
}

const auditPatch = (ground: Ground, caller: Caller, id: string, patch: CameraPatch): void =>
  auditOf(ground.outbox, caller, {
    action: 'camera.update',
    target: `camera:${id}`,
    detail: auditDetail(patch),
  });

async function create(
  parts: Parts,
  { caller, body, address }: Call<typeof cameraRoutes.createCamera>,
): Promise<Camera> {
  const { ground, base } = parts;
  await areaFor(base.registry, caller, body.area_id);
  const { reach, found, endpoint } = await lookAt(parts, body);
  const same = await sameAs(parts, reach, {
    serial: found.information.serial,
    mac: found.mac,
    endpoint,
  });
  if (same) throw alreadyThere(parts, caller, same, reach);
  const externalId = found.information.serial ?? found.mac;
  const id = await addDevice(ground.client, actorOf(caller, address), body, externalId);
  const row = withExamined(newRow(id, caller.claims.org, body, reach, ground.clock.now()), found);
  const stored = {
    ...row,
    endpoint,
    mainProfile: body.main_profile ?? null,
    subProfile: body.sub_profile ?? null,
    revision: 1,
  };
  base.registry.save(stored, () =>
    auditOf(ground.outbox, caller, {
      action: 'camera.create',
      target: `camera:${id}`,
      detail: auditDetail(body),
    }),
  );
  await base.registry.refresh();
  const camera = ground.directory.get(id);
  if (!camera) throw new AppError('conflict', 'The camera was removed while it was being added.');
  return shown(parts, camera);
}

type Reach = Pick<CameraRow, 'connection' | 'address' | 'onvifUrl' | 'streams'>;

/** The row of the same camera. One whose device core has no more is dropped instead: nobody sees it, and it blocks nobody. */
async function sameAs(
  { ground, base: { registry } }: Parts,
  reach: Reach,
  shown: Parameters<typeof isSameCamera>[1],
): Promise<CameraRow | undefined> {
  const rows = registry.rows();
  const same = [
    ...rows.filter((row) => isSameCamera(row, shown)),
    ...rows.filter(
      (row) =>
        row.address === reach.address &&
        row.connection === reach.connection &&
        row.streams[0]?.url === reach.streams[0]?.url,
    ),
  ];
  // Core is asked first: one that is just being added is not in its last answer yet.
  if (same.some(({ id }) => !ground.directory.get(id))) await registry.refresh();
  for (const { id } of same) if (!ground.directory.get(id)) registry.remove(id);
  return same.find(({ id }) => registry.row(id) !== undefined);
}

/** The camera itself has to say yes before it is added. @throws AppError naming what is wrong. */
async function lookAt(
  { ground }: Parts,
  body: CameraInput,
): Promise<{ reach: Reach; found: Examined; endpoint: string | null }> {
  const { network } = ground;
  const now = (): number => ground.clock.now();
  if (body.connection === 'rtsp') {
    const [main] = body.rtsp_urls;
    if (main === undefined) throw new AppError('unprocessable', 'Give the RTSP address of the stream.');
    const found = await examinedRtsp(body.rtsp_urls, body.credentials, network);
    throwProblem(found);
    const reach = {
      connection: 'rtsp' as const,
      address: hostOf(main),
      onvifUrl: null,
      streams: found.streams,
    };
    return { reach, found, endpoint: null };
  }
  const at = onvifEndpoint(body.address ?? '');
  if (!at) throw new AppError('unprocessable', 'Give the address of the camera: host or host:port.');
  const [found, said] = await Promise.all([
    examine({
      address: endpointUrl(at),
      logins: body.credentials ? [body.credentials] : [],
      wanted: { main: body.main_profile, sub: body.sub_profile },
      network,
      now,
    }),
    endpointOf(at.host, { random: ground.random, network, now }),
  ]);
  throwProblem(found);
  const url = endpointUrl(at);
  const reach = { connection: 'onvif' as const, address: endpointAddress(at), onvifUrl: url, streams: [] };
  return { reach, found, endpoint: said?.onvifUrl === url ? said.endpoint : null };
}

function throwProblem({ problem, steps }: Examined): void {
  if (!problem) return;
  throw new AppError(
    problem.kind === 'unauthorised' || problem.kind === 'forbidden' ? 'unprocessable' : 'device_unavailable',
    `${problem.text}.`,
    {
      ...(problem.kind === 'unauthorised' ? { hint: 'Check user name and password.' } : {}),
      extra: { steps },
    },
  );
}

/** A camera that the box has, found elsewhere: its new address is taken where the old one is dead. */
function alreadyThere(parts: Parts, caller: Caller, row: CameraRow, reach: Reach): AppError {
  const camera = parts.ground.directory.get(row.id);
  const visible = camera !== undefined && mayOnCamera(caller, 'camera.live', camera);
  if (row.connection === 'onvif' && reach.onvifUrl !== null && !parts.onvif.links.isOnline(row.id))
    parts.onvif.finder
      .offer(row, {
        endpoint: row.endpoint ?? '',
        onvifUrl: reach.onvifUrl,
        name: null,
        hardware: null,
        mac: null,
      })
      .catch((error: unknown) => parts.ground.log.warn('offer_failed', { error, camera_id: row.id }));
  return new AppError(
    'duplicate',
    visible ? `It is "${camera.name}" already.` : 'The box has this camera already.',
    {
      ...(visible ? { extra: { camera_id: row.id } } : {}),
    },
  );
}

/** Whether the camera has to be connected, or read, anew. */
const asksAnew = (patch: CameraPatch): boolean =>
  patch.credentials !== undefined || patch.main_profile !== undefined || patch.sub_profile !== undefined;

/** The link reads it again as soon as the camera answers, because it does not know the firmware. */
const patchedWithoutAsking = (row: CameraRow, patch: CameraPatch): CameraRow => {
  const changed = withPatch(row, patch);
  return asksAnew(patch) && row.connection === 'onvif' ? { ...changed, firmware: null } : changed;
};

type Change = {
  /** The patch, and what the camera said, put into the row as it is by then. */
  onto(row: CameraRow): CameraRow;
  renew: boolean;
};

/** Asks the camera where the patch needs it: that takes seconds. */
async function changeOf({ ground }: Parts, row: CameraRow, patch: CameraPatch): Promise<Change> {
  const changed = withPatch(row, patch);
  if (row.connection === 'rtsp') return rtspChange(ground, changed, patch);
  if (patch.rtsp_urls !== undefined)
    throw new AppError(
      'unprocessable',
      'Its streams are those of its media profiles; choose other profiles.',
    );
  if (patch.address === undefined && !asksAnew(patch))
    return { onto: (now) => withPatch(now, patch), renew: false };
  const found = await examine({
    address: patch.address ?? row.onvifUrl ?? row.address,
    logins: changed.credentials ? [changed.credentials] : [],
    wanted: wantedProfiles(changed),
    network: ground.network,
    now: () => ground.clock.now(),
  });
  const { problem } = found;
  // A camera that is away takes a new password all the same; a wrong one, or a wrong address, is told now.
  if (problem?.kind === 'unreachable' && patch.address === undefined)
    return { onto: (now) => ({ ...withPatch(now, patch), firmware: null }), renew: true };
  throwProblem(found);
  const { serial } = found.information;
  const { mac } = found;
  const identified = (row.serial !== null && serial !== null) || (row.mac !== null && mac !== null);
  if (identified && !isSameCamera({ ...row, endpoint: null }, { serial, mac }))
    throw new AppError('conflict', `Another camera (serial ${serial ?? 'unknown'}) answers there.`, {
      hint: 'Add it as a camera of its own.',
    });
  return {
    onto: (now) => ({ ...withExamined(withPatch(now, patch), found), revision: now.revision + 1 }),
    renew: true,
  };
}

async function rtspChange({ network }: Ground, changed: CameraRow, patch: CameraPatch): Promise<Change> {
  if (patch.address !== undefined)
    throw new AppError('unprocessable', 'A camera without ONVIF has RTSP addresses; change those.');
  const { rtsp_urls: urls } = patch;
  if (urls === undefined) return { onto: (now) => withPatch(now, patch), renew: false };
  if (urls.length === 0) throw new AppError('unprocessable', 'It needs at least one RTSP address.');
  const found = await examinedRtsp(urls, changed.credentials, network);
  throwProblem(found);
  const streams = found.streams.length > 0 ? found.streams : unseenStreams(urls);
  return { onto: (now) => ({ ...withPatch(now, patch), streams }), renew: true };
}
