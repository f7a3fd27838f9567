/** Events of a camera as core takes them. Pure. */
import { eventTypes, type IncomingEvent } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime';
import type { KnownCamera } from '../camera.ts';

/** A camera's own time of an event is believed this far from ours; messages wait in its pull point for no longer. */
const plausibleMs = 60_000;

export function cameraEvent(
  camera: Pick<KnownCamera, 'id' | 'orgId' | 'siteId'>,
  what: { id: string; type: string; atMs: number; data: Record<string, unknown> },
): IncomingEvent {
  return {
    specversion: '1.0',
    id: what.id,
    source: `camera/${camera.id}`,
    type: what.type,
    time: toRfc3339(what.atMs),
    datacontenttype: 'application/json',
    subject: camera.id,
    orgid: camera.orgId,
    siteid: camera.siteId,
    data: what.data,
  };
}

export const titleOf = (type: string): string => eventTypes[type]?.title ?? type;

/** When it happened by our clock: the camera's time less its offset, where that is plausible, else when it came. */
export function happenedMs(utcTime: string, offsetMs: number, receivedMs: number): number {
  const told = Date.parse(utcTime) - offsetMs;
  return told <= receivedMs && receivedMs - told <= plausibleMs ? told : receivedMs;
}
