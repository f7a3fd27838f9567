/**
 * The writer's memory of where devices and areas are: read once, dropped whenever the registry changes or a transaction
 * is undone. Every event passes through it, so a look-up must cost no query.
 */
import type { Device } from '@siphera/contract';
import type { Sqlite } from '@siphera/runtime/base';
import { scopesOf } from '../../kernel/access.ts';

export type IndexedArea = {
  id: string;
  orgId: string;
  siteId: string;
  name: string;
  armed: 'armed' | 'disarmed' | 'partial' | 'unknown';
  armedChangedMs: number | undefined;
  path: readonly string[];
  scopes: readonly string[];
};
export type IndexedDevice = {
  id: string;
  orgId: string;
  siteId: string;
  areaId: string;
  parentId: string | undefined;
  kind: Device['kind'];
  name: string;
  tags: readonly string[];
  scopes: readonly string[];
};
export type IndexedSite = { id: string; orgId: string; name: string; timeZone: string };

export class RegistryIndex {
  readonly #db: Sqlite;
  readonly #devices = new Map<string, IndexedDevice | undefined>();
  readonly #areas = new Map<string, IndexedArea | undefined>();
  readonly #sites = new Map<string, IndexedSite | undefined>();
  readonly #firstSites = new Map<string, string | undefined>();
  #orgIds: readonly string[] | undefined;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  clear(): void {
    this.#devices.clear();
    this.#areas.clear();
    this.#sites.clear();
    this.#firstSites.clear();
    this.#orgIds = undefined;
  }

  /** A device that is not deleted. Unknown ids are remembered too: a stranger's storm must not become a storm of queries. */
  device(id: string): IndexedDevice | undefined {
    return remember(this.#devices, id, () => this.#readDevice(id));
  }

  area(id: string): IndexedArea | undefined {
    return remember(this.#areas, id, () => this.#readArea(id));
  }

  site(id: string): IndexedSite | undefined {
    return remember(this.#sites, id, () => {
      const row = this.#db
        .prepare<[string], { id: string; org_id: string; name: string; time_zone: string }>(
          'SELECT id, org_id, name, time_zone FROM sites WHERE id = ?',
        )
        .get(id);
      return row ? { id: row.id, orgId: row.org_id, name: row.name, timeZone: row.time_zone } : undefined;
    });
  }

  orgIds(): readonly string[] {
    this.#orgIds ??= this.#db
      .prepare<[], { id: string }>('SELECT id FROM orgs ORDER BY id')
      .all()
      .map((row) => row.id);
    return this.#orgIds;
  }

  /** The org's oldest site: where a report belongs that names no place. */
  firstSite(orgId: string): string | undefined {
    return remember(
      this.#firstSites,
      orgId,
      () =>
        this.#db
          .prepare<[string], { id: string }>('SELECT id FROM sites WHERE org_id = ? ORDER BY id LIMIT 1')
          .get(orgId)?.id,
    );
  }

  #readDevice(id: string): IndexedDevice | undefined {
    const row = this.#db
      .prepare<
        [string],
        {
          id: string;
          org_id: string;
          site_id: string;
          area_id: string;
          parent_id: string | null;
          kind: Device['kind'];
          name: string;
          tags: string;
        }
      >(
        'SELECT id, org_id, site_id, area_id, parent_id, kind, name, tags FROM devices WHERE id = ? AND deleted_ms IS NULL',
      )
      .get(id);
    if (!row) return undefined;
    return {
      id: row.id,
      orgId: row.org_id,
      siteId: row.site_id,
      areaId: row.area_id,
      parentId: row.parent_id ?? undefined,
      kind: row.kind,
      name: row.name,
      tags: JSON.parse(row.tags) as string[],
      scopes: [`device:${row.id}`, ...(this.area(row.area_id)?.scopes ?? [`org:${row.org_id}`])],
    };
  }

  #readArea(id: string): IndexedArea | undefined {
    const row = this.#db
      .prepare<
        [string],
        {
          id: string;
          org_id: string;
          site_id: string;
          name: string;
          armed: IndexedArea['armed'];
          armed_changed_ms: number | null;
        }
      >('SELECT id, org_id, site_id, name, armed, armed_changed_ms FROM areas WHERE id = ?')
      .get(id);
    const scopes = row ? scopesOf(this.#db, { kind: 'area', id })?.scopes : undefined;
    if (!row || !scopes) return undefined;
    const path = scopes
      .filter((scope) => scope.startsWith('area:'))
      .map((scope) => scope.slice('area:'.length));
    return {
      id: row.id,
      orgId: row.org_id,
      siteId: row.site_id,
      name: row.name,
      armed: row.armed,
      armedChangedMs: row.armed_changed_ms ?? undefined,
      path,
      scopes,
    };
  }
}

/** Bounds what a flood of made-up ids can make us remember. */
const rememberedMax = 50_000;

function remember<T>(map: Map<string, T | undefined>, id: string, read: () => T | undefined): T | undefined {
  if (map.has(id)) return map.get(id);
  if (map.size >= rememberedMax) map.clear();
  const value = read();
  map.set(id, value);
  return value;
}
