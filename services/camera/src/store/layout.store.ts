/** Layouts of the video wall. */
import type { WallLayout } from '@siphera/contract';
import type { Sqlite } from '@siphera/runtime';
import type { z } from 'zod';

type Tiles = z.infer<typeof WallLayout>['tiles'];
export type LayoutRow = {
  id: string;
  orgId: string;
  ownerId: string;
  ownerName: string;
  name: string;
  columns: number;
  rows: number;
  tiles: Tiles;
  shared: boolean;
  createdMs: number;
};
type Row = {
  id: string;
  org_id: string;
  owner_id: string;
  owner_name: string;
  name: string;
  columns: number;
  rows: number;
  tiles: string;
  shared: 0 | 1;
  created_ms: number;
};

export class LayoutStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  get(id: string): LayoutRow | undefined {
    const row = this.#db.prepare<[string], Row>('SELECT * FROM layouts WHERE id = ?').get(id);
    return row && fromRow(row);
  }

  /** Own ones and those shared inside the organisation, by name. */
  visibleTo(orgId: string, ownerId: string): LayoutRow[] {
    return this.#db
      .prepare<[string, string], Row>(
        'SELECT * FROM layouts WHERE org_id = ? AND (shared = 1 OR owner_id = ?) ORDER BY name, id',
      )
      .all(orgId, ownerId)
      .map(fromRow);
  }

  countOf(ownerId: string): number {
    return (
      this.#db
        .prepare<[string], number>('SELECT count(*) FROM layouts WHERE owner_id = ?')
        .pluck()
        .get(ownerId) ?? 0
    );
  }

  save(layout: LayoutRow): void {
    this.#db
      .prepare(
        `INSERT INTO layouts (id, org_id, owner_id, owner_name, name, columns, rows, tiles, shared, created_ms)
         VALUES (@id, @orgId, @ownerId, @ownerName, @name, @columns, @rows, @tiles, @shared, @createdMs)
         ON CONFLICT (id) DO UPDATE SET owner_name = @ownerName, name = @name, columns = @columns, rows = @rows,
           tiles = @tiles, shared = @shared`,
      )
      .run({ ...layout, tiles: JSON.stringify(layout.tiles), shared: layout.shared ? 1 : 0 });
  }

  remove(id: string): void {
    this.#db.prepare('DELETE FROM layouts WHERE id = ?').run(id);
  }
}

const fromRow = (row: Row): LayoutRow => ({
  id: row.id,
  orgId: row.org_id,
  ownerId: row.owner_id,
  ownerName: row.owner_name,
  name: row.name,
  columns: row.columns,
  rows: row.rows,
  tiles: JSON.parse(row.tiles) as Tiles,
  shared: row.shared === 1,
  createdMs: row.created_ms,
});
