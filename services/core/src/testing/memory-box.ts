/** A migrated database in memory with one org, for tests of writes without processes. */
import { join } from 'node:path';
import { createLogger, migrate, openDatabase, systemRandom, type Clock, type Sqlite } from '@siphera/runtime';
import { rolePermissions, type Role } from '@siphera/contract';
import type { Actor } from '../kernel/actor.ts';
import { Writer } from '../kernel/writer.ts';

export const startMs = Date.UTC(2026, 10, 22, 9, 0, 0);

export type TestClock = Clock & { advance(ms: number): void };

export function testClock(): TestClock {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    monotonic: () => nowMs,
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

export const quietLog = createLogger({
  service: 'test',
  level: 'error',
  destination: { write: () => undefined },
});

export function openMemory() {
  const db = openDatabase(':memory:');
  migrate(db, join(import.meta.dirname, '../../migrations'), startMs);
  const clock = testClock();
  const committed: number[] = [];
  let rollbacks = 0;
  const writer = new Writer({
    db,
    clock,
    random: systemRandom,
    log: quietLog,
    onCommit: (seq) => committed.push(seq),
    onRollback: () => {
      rollbacks += 1;
    },
  });
  return { db, clock, writer, committed, rollbacks: () => rollbacks };
}

/** org → site → hall → dock, with a door in the dock; and a second org beside it. */
export function seedBuilding(db: Sqlite) {
  const ids = {
    org: id(1),
    other: id(2),
    site: id(3),
    hall: id(4),
    dock: id(5),
    office: id(6),
    door: id(7),
    otherSite: id(8),
    otherArea: id(9),
  };
  const org = db.prepare('INSERT INTO orgs (id, name, created_ms) VALUES (?, ?, 0)');
  org.run(ids.org, 'Harbour');
  org.run(ids.other, 'Elsewhere');
  const site = db.prepare(
    `INSERT INTO sites (id, org_id, name, time_zone, address, created_ms) VALUES (?, ?, ?, 'Europe/Vienna', '', 0)`,
  );
  site.run(ids.site, ids.org, 'Main');
  site.run(ids.otherSite, ids.other, 'Other');
  const area = db.prepare(
    'INSERT INTO areas (id, org_id, site_id, parent_id, name, created_ms) VALUES (?, ?, ?, ?, ?, 0)',
  );
  area.run(ids.hall, ids.org, ids.site, null, 'Hall');
  area.run(ids.dock, ids.org, ids.site, ids.hall, 'Dock');
  area.run(ids.office, ids.org, ids.site, null, 'Office');
  area.run(ids.otherArea, ids.other, ids.otherSite, null, 'Other hall');
  db.prepare(
    `INSERT INTO devices (id, org_id, site_id, area_id, kind, name, created_ms) VALUES (?, ?, ?, ?, 'door', 'Dock door', 0)`,
  ).run(ids.door, ids.org, ids.site, ids.dock);
  return ids;
}

const id = (n: number): string => `01a201d0-0000-7000-8000-${String(n).padStart(12, '0')}`;

export function actorWith(role: Role, orgId: string, scope: string): Actor {
  return {
    kind: 'user',
    id: id(99),
    name: 'Test',
    orgId,
    grants: [{ permissions: [...rolePermissions[role]], scope }],
    address: '127.0.0.1',
  };
}
