/** What somebody may do now, whatever his tokens say. */
import { scopeKey, type InternalGrants, type Permission } from '@siphera/contract';
import type { Sqlite } from '@siphera/runtime';
import { grantsOf } from './grants.store.ts';
import { readUser, scopeOf, type ApiKeyRow } from './identity-rows.ts';

const none: InternalGrants = { active: false, grants: [] };

export function presentGrants(
  db: Sqlite,
  { kind, id }: { kind: 'user' | 'api_key' | 'service'; id: string },
  nowMs: number,
): InternalGrants {
  switch (kind) {
    case 'user': {
      const user = readUser(db, id);
      return user?.active === 1 ? { active: true, grants: grantsOf(db, id) } : none;
    }
    case 'api_key': {
      const key = db.prepare<[string], ApiKeyRow>('SELECT * FROM api_keys WHERE id = ?').get(id);
      if (!key || key.revoked_ms !== null || (key.expires_ms ?? Infinity) <= nowMs) return none;
      const permissions = JSON.parse(key.permissions) as Permission[];
      return { active: true, grants: [{ permissions, scope: scopeKey(scopeOf(key)) }] };
    }
    case 'service':
      // The self-test's own, gone within minutes: it keeps nothing.
      return none;
  }
}
