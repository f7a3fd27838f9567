/** Events that the recorder sends to core. Their ids follow from what they tell, so that telling it twice changes nothing. */
import type { IncomingEvent } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime';
import type { KnownCamera } from './camera.ts';

const footageSource = 'camera/recorder';

export function recordingEvent(
  camera: Pick<KnownCamera, 'id' | 'orgId' | 'siteId' | 'areaId'>,
  type: 'camera.recording_lost' | 'camera.recording_restored',
  what: { sinceMs: number; reason: string; atMs: number },
): IncomingEvent {
  return {
    specversion: '1.0',
    id: `${type}:${camera.id}:${Math.round(what.sinceMs)}`,
    source: footageSource,
    type,
    time: toRfc3339(what.atMs),
    datacontenttype: 'application/json',
    subject: camera.id,
    areaid: camera.areaId,
    orgid: camera.orgId,
    siteid: camera.siteId,
    data: { since: toRfc3339(what.sinceMs), reason: what.reason.slice(0, 300) },
  };
}

/** `key` names the occasion, e.g. since when a storage fails, or the day of a forecast. */
export function storageEvent(
  place: { orgId: string; siteId: string },
  type: 'camera.storage_failed' | 'camera.storage_restored' | 'camera.retention_short',
  what: { storage: string; reason: string; key: string; atMs: number },
): IncomingEvent {
  return {
    specversion: '1.0',
    id: `${type}:${what.key}:${place.siteId}`.slice(0, 128),
    source: footageSource,
    type,
    time: toRfc3339(what.atMs),
    datacontenttype: 'application/json',
    orgid: place.orgId,
    siteid: place.siteId,
    data: { storage: what.storage.slice(0, 120), reason: what.reason.slice(0, 300) },
  };
}

/** Storages belong to the box: every site with cameras on it is told. */
export function sitesOf(
  cameras: readonly Pick<KnownCamera, 'orgId' | 'siteId'>[],
): { orgId: string; siteId: string }[] {
  const sites = new Map(cameras.map(({ orgId, siteId }) => [`${orgId} ${siteId}`, { orgId, siteId }]));
  return [...sites.values()];
}
