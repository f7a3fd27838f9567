/** Permissions a key may carry, and the sets that programs usually need. */
import type { Permission } from '@siphera/contract';

export const keyPermissions: readonly Permission[] = [
  'event.write',
  'event.read',
  'incident.read',
  'incident.create',
  'incident.act',
  'registry.read',
  'registry.write',
  'device.command',
  'device.enrol',
  'rule.read',
  'rule.write',
  'panel.read',
  'panel.manage',
  'notify.manage',
  'identity.read',
  'identity.manage',
  'apikey.manage',
  'audit.read',
  'system.read',
  'system.manage',
];
export const keyPresets = {
  events: ['event.write'],
  read: ['registry.read', 'event.read', 'incident.read'],
  integration: [
    'registry.read',
    'event.read',
    'event.write',
    'incident.read',
    'incident.create',
    'device.command',
  ],
} as const satisfies Record<string, readonly Permission[]>;
