/**
 * The box's org, first site and its area. The setup names them; a self-test before the setup needs them already, so
 * whoever comes first makes them.
 */
import type { WriteContext } from '../../kernel/transaction.ts';

export type FirstPlace = { orgId: string; siteId: string; areaId: string };
type Stored = Pick<WriteContext, 'db' | 'random' | 'nowMs'>;

/** Until somebody can sign in, the box is not set up. Users are never removed from their table. */
export const hasUsers = ({ db }: Pick<WriteContext, 'db'>): boolean =>
  db.prepare('SELECT 1 FROM users LIMIT 1').get() !== undefined;

export function ensureFirstPlace(tx: Stored): FirstPlace {
  const known = tx.db
    .prepare<[], FirstPlace>(
      `SELECT s.org_id AS orgId, s.id AS siteId, a.id AS areaId FROM sites s JOIN areas a ON a.site_id = s.id
       ORDER BY s.id, a.parent_id IS NOT NULL, a.id LIMIT 1`,
    )
    .get();
  if (known) return known;
  const place = { orgId: tx.random.uuid(), siteId: tx.random.uuid(), areaId: tx.random.uuid() };
  tx.db
    .prepare(`INSERT INTO orgs (id, name, created_ms) VALUES (?, 'Siphera', ?)`)
    .run(place.orgId, tx.nowMs);
  tx.db
    .prepare(
      `INSERT INTO sites (id, org_id, name, time_zone, address, created_ms) VALUES (?, ?, 'Site', 'UTC', '', ?)`,
    )
    .run(place.siteId, place.orgId, tx.nowMs);
  tx.db
    .prepare(
      `INSERT INTO areas (id, org_id, site_id, parent_id, name, created_ms) VALUES (?, ?, ?, NULL, 'Whole site', ?)`,
    )
    .run(place.areaId, place.orgId, place.siteId, tx.nowMs);
  return place;
}
