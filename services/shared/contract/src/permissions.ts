/** Roles, permissions and scopes. A role binding is (user or group, role, scope); a scope contains what lies below it. */
import { z } from 'zod';
import { Uuid } from './primitives.ts';

export const permissions = [
  'identity.read',
  'identity.manage',
  'apikey.manage',
  'registry.read',
  'registry.write',
  'device.command',
  'device.enrol',
  'event.read',
  'event.write',
  'rule.read',
  'rule.write',
  'incident.read',
  'incident.create',
  'incident.act',
  'notify.manage',
  'audit.read',
  'panel.read',
  'panel.manage',
  'camera.live',
  'camera.playback',
  'camera.export',
  'camera.ptz',
  'camera.manage',
  'talk.use',
  'talk.manage',
  'phone.use',
  'phone.read',
  'phone.manage',
  'system.read',
  'system.manage',
] as const;
export const Permission = z.enum(permissions);
export type Permission = z.infer<typeof Permission>;

export const Role = z.enum(['admin', 'supervisor', 'guard', 'viewer', 'integrator']);
export type Role = z.infer<typeof Role>;

const viewer = ['registry.read', 'event.read', 'incident.read', 'camera.live'] as const;
const guard = [
  ...viewer,
  'rule.read',
  'incident.create',
  'incident.act',
  'device.command',
  'panel.read',
  'camera.playback',
  'camera.ptz',
  'talk.use',
  'phone.use',
  'phone.read',
] as const;

/** What each role may do inside the scope of its binding. */
export const rolePermissions: Record<Role, readonly Permission[]> = {
  admin: permissions,
  supervisor: [...guard, 'camera.export', 'identity.read', 'audit.read', 'system.read'],
  guard,
  viewer,
  integrator: [...viewer, 'event.write', 'incident.create', 'device.command'],
};

/** Wider scopes first: a binding on a site covers the site's areas and their devices. */
export const ScopeKind = z.enum(['org', 'site', 'area', 'device']);
export type ScopeKind = z.infer<typeof ScopeKind>;
export const Scope = z.object({ kind: ScopeKind, id: Uuid });
export type Scope = z.infer<typeof Scope>;

/** A scope written as `kind:id`, the form used in tokens, feed entries and socket rooms. */
export const ScopeKey = z.string().regex(/^(org|site|area|device):[0-9a-f-]{36}$/);
export const scopeKey = (scope: Scope): string => `${scope.kind}:${scope.id}`;

/** One grant as carried in an access token: a role, or an API key's own permissions, on a scope. */
export const Grant = z.object({ permissions: z.array(Permission), scope: ScopeKey });
export type Grant = z.infer<typeof Grant>;

/**
 * True when one of the grants gives the permission on one of the scope keys that contain the resource
 * (its own key and those of everything above it).
 */
export function isGranted(
  grants: readonly Grant[],
  permission: Permission,
  scopes: readonly string[],
): boolean {
  return grants.some((grant) => grant.permissions.includes(permission) && scopes.includes(grant.scope));
}
