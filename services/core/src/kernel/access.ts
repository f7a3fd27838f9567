/**
 * Authorisation. `authorise` is the first statement of every use case and fails closed; what lies in another org, or out
 * of sight, does not exist for the caller.
 */
import { isGranted, type Permission, type Scope } from '@siphera/contract/base';
import { AppError, type Sqlite } from '@siphera/runtime/base';
import type { Actor } from './actor.ts';

/** @throws AppError `forbidden` unless the actor holds the permission on one of the scopes. */
export function authorise(actor: Actor, permission: Permission, scopes: readonly string[]): void {
  if (isGranted(actor.grants, permission, scopes)) return;
  throw new AppError('forbidden', `You need the permission ${permission} here.`);
}

/** For what belongs to the whole org and is shown to whoever holds the permission somewhere in it. */
export function authoriseAnywhere(actor: Actor, permission: Permission): void {
  if (actor.grants.some((grant) => grant.permissions.includes(permission))) return;
  throw new AppError('forbidden', `You need the permission ${permission}.`);
}

/**
 * For one existing thing: who may not even read it is told that it does not exist; who may read it but not do this is
 * told so.
 */
export function authoriseOn(
  actor: Actor,
  needed: { read: Permission; act?: Permission },
  found: { orgId: string; scopes: readonly string[] } | undefined,
): void {
  if (!found || found.orgId !== actor.orgId || !isGranted(actor.grants, needed.read, found.scopes)) {
    throw new AppError('not_found', 'There is no such thing, or you may not see it.');
  }
  if (needed.act) authorise(actor, needed.act, found.scopes);
}

export const orgScope = (orgId: string): string[] => [`org:${orgId}`];

type Path = { orgId: string; scopes: string[] };

/** The thing and everything above it, as scope keys; undefined when it does not exist. */
export function scopesOf(db: Sqlite, scope: Scope): Path | undefined {
  switch (scope.kind) {
    case 'org':
      return exists(db, 'orgs', scope.id) ? { orgId: scope.id, scopes: orgScope(scope.id) } : undefined;
    case 'site': {
      const row = db
        .prepare<[string], { org_id: string }>('SELECT org_id FROM sites WHERE id = ?')
        .get(scope.id);
      return row ? { orgId: row.org_id, scopes: [`site:${scope.id}`, `org:${row.org_id}`] } : undefined;
    }
    case 'area':
      return areaScopes(db, scope.id);
    case 'device': {
      const row = db
        .prepare<[string], { area_id: string }>('SELECT area_id FROM devices WHERE id = ?')
        .get(scope.id);
      const area = row ? areaScopes(db, row.area_id) : undefined;
      return area ? { orgId: area.orgId, scopes: [`device:${scope.id}`, ...area.scopes] } : undefined;
    }
  }
}

/**
 * Where something happened, as scope keys: the place it was recorded for, wherever the device was moved since, so that
 * lists, pages and the feed agree on who sees it.
 */
export function scopesOfRecord(
  db: Sqlite,
  row: { org_id: string; site_id: string | null; area_id: string | null; device_id: string | null },
): Path {
  const area = row.area_id === null ? undefined : scopesOf(db, { kind: 'area', id: row.area_id });
  if (area && row.device_id !== null)
    return { orgId: area.orgId, scopes: [`device:${row.device_id}`, ...area.scopes] };
  return (
    area ??
    (row.device_id === null ? undefined : scopesOf(db, { kind: 'device', id: row.device_id })) ??
    (row.site_id === null ? undefined : scopesOf(db, { kind: 'site', id: row.site_id })) ?? {
      orgId: row.org_id,
      scopes: orgScope(row.org_id),
    }
  );
}

const exists = (db: Sqlite, table: 'orgs', id: string): boolean =>
  db.prepare(`SELECT 1 FROM ${table} WHERE id = ?`).get(id) !== undefined;

function areaScopes(db: Sqlite, areaId: string): Path | undefined {
  // Bounded: a tree deeper than this is refused when it is made.
  const rows = db
    .prepare<[string], { id: string; site_id: string; org_id: string }>(
      `WITH RECURSIVE up (id, parent_id, site_id, org_id, depth) AS (
         SELECT id, parent_id, site_id, org_id, 0 FROM areas WHERE id = ?
         UNION ALL
         SELECT a.id, a.parent_id, a.site_id, a.org_id, depth + 1 FROM areas a JOIN up ON a.id = up.parent_id WHERE depth < 32)
       SELECT id, site_id, org_id FROM up ORDER BY depth`,
    )
    .all(areaId);
  const first = rows[0];
  if (!first) return undefined;
  return {
    orgId: first.org_id,
    scopes: [...rows.map((row) => `area:${row.id}`), `site:${first.site_id}`, `org:${first.org_id}`],
  };
}

/** Columns that place a row; null where the table has none. */
export type PlaceColumns = { org: string; site: string | null; area: string | null; device: string | null };

/**
 * SQL that keeps a list to what the actor may see: always his own org, then what his grants cover, areas with all below.
 * An actor without any grant of the permission sees nothing.
 */
export function visibleSql(
  db: Sqlite,
  actor: Actor,
  permission: Permission,
  columns: PlaceColumns,
): { sql: string; params: string[] } {
  const scopes = actor.grants
    .filter((grant) => grant.permissions.includes(permission))
    .map((grant) => grant.scope);
  const ids = (kind: string): string[] =>
    scopes.filter((scope) => scope.startsWith(`${kind}:`)).map((scope) => scope.slice(kind.length + 1));
  const own = `${columns.org} = ?`;
  if (ids('org').includes(actor.orgId)) return { sql: own, params: [actor.orgId] };
  const parts: string[] = [];
  const params: string[] = [actor.orgId];
  const add = (column: string | null, values: string[]): void => {
    if (column === null || values.length === 0) return;
    parts.push(`${column} IN (${values.map(() => '?').join(', ')})`);
    params.push(...values);
  };
  add(columns.site, ids('site'));
  add(
    columns.area,
    ids('area').flatMap((id) => areasBelow(db, id)),
  );
  add(columns.device, ids('device'));
  return {
    sql: parts.length === 0 ? '0' : `${own} AND (${parts.join(' OR ')})`,
    params: parts.length === 0 ? [] : params,
  };
}

/** The area and all areas below it. */
export function areasBelow(db: Sqlite, areaId: string): string[] {
  return db
    .prepare<[string], { id: string }>(
      `WITH RECURSIVE down (id, depth) AS (
         SELECT id, 0 FROM areas WHERE id = ?
         UNION ALL
         SELECT a.id, depth + 1 FROM areas a JOIN down ON a.parent_id = down.id WHERE depth < 32)
       SELECT id FROM down`,
    )
    .all(areaId)
    .map((row) => row.id);
}
