/** Roles and scopes as forms offer them, the narrowest role first: nobody gets more by haste. */
import type { Role, ScopeKind } from '@siphera/contract';

export const roles: readonly Role[] = ['viewer', 'guard', 'supervisor', 'integrator', 'admin'];
export const scopeKinds: readonly ScopeKind[] = ['org', 'site', 'area', 'device'];

const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';
const groupLength = 5;
const groups = 4;

/** A first password that can be read over the phone: four groups of five letters and digits, about 98 bits. */
export function makePassword(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(groupLength * groups));
  const letters = [...bytes].map((byte) => alphabet.charAt(byte % alphabet.length));
  return Array.from({ length: groups }, (_, group) =>
    letters.slice(group * groupLength, (group + 1) * groupLength).join(''),
  ).join('-');
}
