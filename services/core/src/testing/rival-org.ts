/**
 * A second org in the same box: a copy of all rows of the first under other ids. The pages know one org for now, so no
 * API makes one; the walls between orgs must hold all the same.
 */
import type { Sqlite } from '@siphera/runtime';
import type { World } from './world.ts';

/** In the order of their references. Feed, timers, audit and volumes are the box's own and stay out. */
const tables = [
  'orgs',
  'sites',
  'areas',
  'floors',
  'floor_plans',
  'devices',
  'commands',
  'dead_letters',
  'rules',
  'rule_versions',
  'procedures',
  'incidents',
  'attachments',
  'users',
  'groups',
  'role_bindings',
  'sessions',
  'api_keys',
  'webhooks',
  'escalations',
] as const;

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
type Row = Record<string, unknown>;

/** Call it while core is stopped. @returns the same world under the rival's ids. */
export function addRivalOrg(db: Sqlite, world: World, newId: () => string): World {
  const ids = new Map<string, string>();
  const other = (id: string): string => {
    const known = ids.get(id) ?? newId();
    ids.set(id, known);
    return known;
  };
  const swap = (value: unknown): unknown =>
    typeof value === 'string' ? value.replaceAll(uuid, other) : value;
  for (const table of tables) {
    for (const row of db.prepare<[], Row>(`SELECT * FROM ${table}`).all()) {
      const copy = Object.fromEntries(Object.entries(row).map(([column, value]) => [column, swap(value)]));
      for (const column of ['email', 'refresh_sha256', 'external_id'])
        if (typeof copy[column] === 'string') copy[column] = `rival-${copy[column]}`;
      const columns = Object.keys(copy);
      db.prepare(
        `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map((column) => `@${column}`).join(', ')})`,
      ).run(copy);
    }
  }
  const event = copyEvent(db, world.event, swap);
  const rival = Object.fromEntries(
    Object.entries(world).map(([name, id]) => [name, typeof id === 'string' ? other(id) : id]),
  ) as World;
  return { ...rival, event };
}

function copyEvent(db: Sqlite, seq: number, swap: (value: unknown) => unknown): number {
  const newest = db.prepare<[], { value: string }>(`SELECT value FROM facts WHERE name = 'feed_seq'`).get();
  const next = Number(newest?.value ?? 0) + 1;
  const row = db.prepare<[number], Row>('SELECT * FROM events WHERE seq = ?').get(seq) ?? {};
  const copy: Row = Object.fromEntries(Object.entries(row).map(([column, value]) => [column, swap(value)]));
  const columns = Object.keys(copy);
  db.prepare(
    `INSERT INTO events (${columns.join(', ')}) VALUES (${columns.map((column) => `@${column}`).join(', ')})`,
  ).run({ ...copy, seq: next, source: 'rival/matrix' });
  db.prepare(`UPDATE facts SET value = ? WHERE name = 'feed_seq'`).run(String(next));
  return next;
}
