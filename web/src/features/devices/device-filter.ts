/** Which devices a list shows. Pure: the page has all of them in memory. */
import { matches } from '#features/palette/match.ts';
import type { Device } from '#features/devices/devices.store.ts';

export type DeviceFilter = {
  q: string;
  kind: string;
  status: string;
  areaIds: ReadonlySet<string> | undefined;
};
/** Not a status of the wire: everything that is not online or reports a condition. */
export const troubleStatus = 'trouble';

const needsAttention = (device: Pick<Device, 'status' | 'conditions'>): boolean =>
  device.status !== 'online' || device.conditions.length > 0;

export function fits(device: Device, filter: DeviceFilter): boolean {
  if (filter.kind !== '' && device.kind !== filter.kind) return false;
  if (filter.status === troubleStatus && !needsAttention(device)) return false;
  if (filter.status !== '' && filter.status !== troubleStatus && device.status !== filter.status)
    return false;
  if (filter.areaIds && !filter.areaIds.has(device.area_id)) return false;
  if (filter.q.trim() === '') return true;
  return matches(
    filter.q,
    `${device.name} ${device.area_name} ${device.external_id ?? ''} ${device.tags.join(' ')}`,
  );
}

/** The words a person typed as tags. */
export const parseTags = (text: string): string[] => [
  ...new Set(
    text
      .toLowerCase()
      .split(/[\s,;]+/)
      .filter((tag) => tag !== ''),
  ),
];
