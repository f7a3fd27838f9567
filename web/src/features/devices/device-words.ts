/** The values of the wire that lists and forms offer, in the order in which people look for them. */
import type { Device } from '#features/devices/devices.store.ts';

export const deviceKinds: readonly Device['kind'][] = [
  'door',
  'reader',
  'motion',
  'smoke',
  'glass_break',
  'panic',
  'camera',
  'intercom',
  'panel',
  'controller',
];
export const deviceStatuses: readonly Device['status'][] = ['online', 'offline', 'unavailable', 'unknown'];
