/** Dispatchable locations and their areas. */
import type { EmergencyLocationInput } from '@siphera/contract';
import type { Sqlite } from '@siphera/runtime';
import type { Location } from '../domain/location-row.ts';

type Row = Omit<Location, 'area_ids' | 'networks' | 'civic' | 'is_default'> & {
  networks: string;
  civic: string;
  is_default: number;
  areas: string;
};

export class LocationStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** In the order in which they were made. */
  all(): Location[] {
    return this.#db
      .prepare<[], Row>(
        `SELECT l.id, l.org_id, l.site_id, l.label, l.networks, l.civic, l.callback_number, l.provider_id, l.is_default,
                l.nearest_phone, l.validated_ms, l.validated_by, l.revision,
                (SELECT json_group_array(a.area_id) FROM location_areas a WHERE a.location_id = l.id) AS areas
         FROM locations l ORDER BY l.id`,
      )
      .all()
      .map(({ areas, ...row }) => ({
        ...row,
        area_ids: JSON.parse(areas) as string[],
        networks: JSON.parse(row.networks) as string[],
        civic: JSON.parse(row.civic) as Location['civic'],
        is_default: row.is_default === 1,
      }));
  }

  /** Adds or replaces them all together; areas that one of them gives up may be taken by another. Runs `also` in the same transaction. */
  save(locations: readonly Location[], also: () => void): void {
    this.#db
      .transaction(() => {
        for (const { id } of locations) this.#clear(id);
        // A new default takes the place of the one before.
        for (const { id, site_id: siteId, is_default: isDefault } of locations)
          if (isDefault)
            this.#db
              .prepare(
                'UPDATE locations SET is_default = 0, revision = revision + 1 WHERE site_id = ? AND id <> ? AND is_default = 1',
              )
              .run(siteId, id);
        for (const location of locations) this.#write(location);
        also();
      })
      .immediate();
  }

  remove(id: string, also: () => void): void {
    this.#db
      .transaction(() => {
        this.#db.prepare('DELETE FROM locations WHERE id = ?').run(id);
        also();
      })
      .immediate();
  }

  confirm(id: string, by: string, nowMs: number, also: () => void): void {
    this.#db
      .transaction(() => {
        this.#db
          .prepare(
            'UPDATE locations SET validated_ms = ?, validated_by = ?, revision = revision + 1 WHERE id = ?',
          )
          .run(nowMs, by, id);
        also();
      })
      .immediate();
  }

  /** What must be its own alone is given up first, so that locations of one change can trade it. */
  #clear(id: string): void {
    this.#db.prepare('DELETE FROM location_areas WHERE location_id = ?').run(id);
    this.#db.prepare('UPDATE locations SET is_default = 0, label = id WHERE id = ?').run(id);
  }

  #write(location: Location): void {
    const { id, area_ids: areaIds } = location;
    this.#db
      .prepare(
        `INSERT INTO locations (id, org_id, site_id, label, networks, civic, callback_number, provider_id, is_default,
           nearest_phone, validated_ms, validated_by, revision)
         VALUES (@id, @org_id, @site_id, @label, @networks, @civic, @callback_number, @provider_id, @is_default,
           @nearest_phone, @validated_ms, @validated_by, @revision)
         ON CONFLICT (id) DO UPDATE SET site_id = excluded.site_id, label = excluded.label, networks = excluded.networks,
           civic = excluded.civic, callback_number = excluded.callback_number, provider_id = excluded.provider_id,
           is_default = excluded.is_default, nearest_phone = excluded.nearest_phone, validated_ms = excluded.validated_ms,
           validated_by = excluded.validated_by, revision = excluded.revision`,
      )
      .run({ ...columnsOf(location), id });
    const add = this.#db.prepare('INSERT INTO location_areas (area_id, location_id) VALUES (?, ?)');
    for (const areaId of new Set(areaIds)) add.run(areaId, id);
  }
}

const columnsOf = (location: EmergencyLocationInput & Location): Record<string, string | number | null> => ({
  org_id: location.org_id,
  site_id: location.site_id,
  label: location.label,
  networks: JSON.stringify(location.networks),
  civic: JSON.stringify(location.civic),
  callback_number: location.callback_number,
  provider_id: location.provider_id,
  is_default: Number(location.is_default),
  nearest_phone: location.nearest_phone,
  validated_ms: location.validated_ms,
  validated_by: location.validated_by,
  revision: location.revision,
});
