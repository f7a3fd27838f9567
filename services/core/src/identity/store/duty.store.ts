/** Who is on duty, as signaling told. */
import type { Sqlite } from '@siphera/runtime/base';

type Duty = { userId: string; onDuty: boolean; atMs: number };

/** @returns whether that changed him; what is older than what is known changes nothing. */
export function saveDuty(db: Sqlite, { userId, onDuty, atMs }: Duty): boolean {
  const before = db
    .prepare<[string], { on_duty: number; at_ms: number }>(
      'SELECT on_duty, at_ms FROM user_duty WHERE user_id = ?',
    )
    .get(userId);
  if (before && before.at_ms > atMs) return false;
  db.prepare(
    `INSERT INTO user_duty (user_id, on_duty, at_ms) VALUES (?, ?, ?)
     ON CONFLICT (user_id) DO UPDATE SET on_duty = excluded.on_duty, at_ms = excluded.at_ms`,
  ).run(userId, onDuty ? 1 : 0, atMs);
  return (before?.on_duty === 1) !== onDuty;
}

export const usersOnDuty = (db: Sqlite): ReadonlySet<string> =>
  new Set(
    db
      .prepare<[], { user_id: string }>('SELECT user_id FROM user_duty WHERE on_duty = 1')
      .all()
      .map((row) => row.user_id),
  );
