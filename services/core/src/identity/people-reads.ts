/** Everybody of the box as its services know them: who they are, where their roles reach, what they may do. */
import type { InternalPeople, InternalPerson } from '@siphera/contract';
import { scopeKey } from '@siphera/contract/base';
import { AppError, type Sqlite } from '@siphera/runtime/base';
import type { z } from 'zod';
import { scopesOf } from '../kernel/access.ts';
import { readFeedSeq } from '../kernel/feed-seq.ts';
import type { ReadContext } from '../kernel/transaction.ts';
import { usersOnDuty } from './store/duty.store.ts';
import { grantsOf } from './store/grants.store.ts';
import { bindingsOfUser, scopeName, scopeOf, type UserRow } from './store/identity-rows.ts';

export const peopleReads = {
  /** Of all orgs, without who was removed. Whoever reads it follows the feed from `upto` on: `user` and `site` entries change it. */
  listPeople: ({ db, actor }: ReadContext, _input: Record<string, never>): z.infer<typeof InternalPeople> => {
    if (actor.kind !== 'system') throw new AppError('forbidden', 'Only the box itself knows everybody.');
    const sites = sitesByOrg(db);
    const onDuty = usersOnDuty(db);
    const items = db
      .prepare<[], UserRow>('SELECT * FROM users WHERE deleted_ms IS NULL ORDER BY id')
      .all()
      .map((user) => ({
        ...toPerson(db, user, sites.get(user.org_id) ?? []),
        on_duty: user.active === 1 && onDuty.has(user.id),
      }));
    return { items, upto: readFeedSeq(db) };
  },
};

function toPerson(db: Sqlite, user: UserRow, sitesOfOrg: readonly string[]): Omit<InternalPerson, 'on_duty'> {
  // Who cannot sign in holds nothing, whatever still stands in his bindings.
  const bindings = user.active === 1 ? bindingsOfUser(db, user.id) : [];
  const reached = new Set<string>();
  for (const binding of bindings)
    for (const site of binding.scope_kind === 'org' ? sitesOfOrg : siteOf(db, scopeOf(binding)))
      reached.add(site);
  return {
    id: user.id,
    org_id: user.org_id,
    name: user.name,
    active: user.active === 1,
    roles: bindings.map((binding) => ({
      role: binding.role,
      scope: scopeKey(scopeOf(binding)),
      scope_name: scopeName(db, scopeOf(binding)),
    })),
    site_ids: [...reached],
    grants: user.active === 1 ? grantsOf(db, user.id) : [],
  };
}

/** None for a place that is gone. */
const siteOf = (db: Sqlite, scope: Parameters<typeof scopesOf>[1]): string[] =>
  (scopesOf(db, scope)?.scopes ?? [])
    .filter((key) => key.startsWith('site:'))
    .map((key) => key.slice('site:'.length));

function sitesByOrg(db: Sqlite): Map<string, string[]> {
  const byOrg = new Map<string, string[]>();
  for (const { id, org_id } of db
    .prepare<[], { id: string; org_id: string }>('SELECT id, org_id FROM sites ORDER BY id')
    .all())
    byOrg.set(org_id, [...(byOrg.get(org_id) ?? []), id]);
  return byOrg;
}
