/** What the camera routes share: asking core on somebody's behalf, rows made and changed, with the audit row of each. */
import {
  internalPaths,
  isGranted,
  RecordingPolicy,
  type CameraInput,
  type CameraPatch,
  type InternalActor,
  type InternalArea,
} from '@siphera/contract';
import { AppError, type Caller, type InternalClient } from '@siphera/runtime';
import { z } from 'zod';
import { hostOf } from '../domain/address.ts';
import { motionHoldMsDefault, type CameraRow } from '../domain/camera-row.ts';
import type { CameraRegistry } from '../adapters/core/camera-registry.ts';

export type NewCamera = Pick<
  CameraInput,
  'name' | 'area_id' | 'place' | 'recording' | 'watches' | 'credentials'
>;

export const actorOf = ({ claims }: Caller, address: string): InternalActor => ({
  kind: claims.kind,
  id: claims.sub,
  name: claims.name,
  org_id: claims.org,
  grants: claims.grants,
  address,
});

/** @throws AppError `not_found` when the area is not there or not the caller's to see, `forbidden`. */
export async function areaFor(
  registry: CameraRegistry,
  caller: Caller,
  areaId: string,
): Promise<InternalArea> {
  if (!registry.area(areaId)) await registry.refresh();
  const area = registry.area(areaId);
  const own = area?.org_id === caller.claims.org ? area : undefined;
  if (!own || !caller.claims.grants.some(({ scope }) => own.scopes.includes(scope)))
    throw new AppError('not_found', 'There is no such area.');
  if (!isGranted(caller.claims.grants, 'camera.manage', own.scopes))
    throw new AppError('forbidden', `This needs the permission camera.manage on "${own.name}".`);
  return own;
}

/** @returns the id that core gave it. @throws AppError as core says. */
export async function addDevice(
  client: InternalClient,
  actor: InternalActor,
  camera: Pick<NewCamera, 'name' | 'area_id' | 'place'>,
  externalId: string | null,
): Promise<string> {
  const device = {
    kind: 'camera',
    name: camera.name,
    area_id: camera.area_id,
    place: camera.place,
    external_id: externalId,
    parent_id: null,
    tags: [],
  };
  const answer = await client.call('POST', internalPaths.devices, { actor, device });
  return z.object({ id: z.string() }).parse(answer).id;
}

export const newRow = (
  id: string,
  orgId: string,
  camera: Pick<NewCamera, 'recording' | 'watches' | 'credentials'>,
  reach: Pick<CameraRow, 'connection' | 'address' | 'onvifUrl' | 'streams'>,
  nowMs: number,
): CameraRow => ({
  id,
  orgId,
  enabled: true,
  ...reach,
  credentials: camera.credentials,
  manufacturer: null,
  model: null,
  firmware: null,
  serial: null,
  mac: null,
  endpoint: null,
  profiles: [],
  mainProfile: null,
  subProfile: null,
  snapshotUrl: null,
  hasPtz: false,
  hasEvents: false,
  relays: 0,
  inputs: 0,
  recording: camera.recording,
  motionHoldMs: motionHoldMsDefault,
  watches: camera.watches,
  revision: 1,
  createdMs: nowMs,
});

/** Streams of which only the address is known. */
export const unseenStreams = (urls: readonly string[]): CameraRow['streams'] =>
  urls.map((url, index) => ({
    role: index === 0 ? ('main' as const) : ('sub' as const),
    url,
    profile_token: null,
    video: null,
    audio: null,
    width: null,
    height: null,
    fps: null,
    bitrate_bps: null,
  }));

/** The parts of a patch that need no word with the camera. */
export function withPatch(row: CameraRow, patch: CameraPatch): CameraRow {
  return {
    ...row,
    enabled: patch.enabled ?? row.enabled,
    credentials: patch.credentials === undefined ? row.credentials : patch.credentials,
    mainProfile: patch.main_profile ?? row.mainProfile,
    subProfile: patch.sub_profile === undefined ? row.subProfile : (patch.sub_profile ?? ''),
    recording: RecordingPolicy.parse({ ...row.recording, ...dropUnset(patch.recording ?? {}) }),
    motionHoldMs: patch.motion_hold_ms ?? row.motionHoldMs,
    watches: patch.watches ?? row.watches,
    address: patch.rtsp_urls?.[0] === undefined ? row.address : hostOf(patch.rtsp_urls[0]),
    revision: row.revision + 1,
  };
}

/** An absent key is one that was not sent; the schema's defaults must not come in its place. */
const dropUnset = (value: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined));

/** What the audit keeps: what was set, never a password. */
export function auditDetail(body: Record<string, unknown>): Record<string, unknown> {
  const { credentials, ...rest } = body;
  if (credentials === undefined) return rest;
  const login = credentials as { username: string } | null;
  return { ...rest, credentials_changed: login === null ? 'removed' : `set for ${login.username}` };
}
