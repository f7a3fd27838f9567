/** Retention per class by days and bytes, and the forecast of growth, from the hourly volume figures. */
import { eventClasses, type EventClass } from '@siphera/contract/base';
import type { Retention, RetentionPolicy } from '@siphera/contract';
import { toRfc3339, type Sqlite } from '@siphera/runtime/base';
import type { z } from 'zod';

const hourMs = 3_600_000;
type Policy = z.infer<typeof RetentionPolicy>;
type Forecast = z.infer<typeof Retention>['forecast'][number];

/** Alarms are evidence; readings are not. */
const defaultDays: Record<EventClass, number> = {
  panic: 1_095,
  duress: 1_095,
  fire: 1_095,
  intrusion: 1_095,
  tamper: 1_095,
  panel: 1_095,
  access: 365,
  door: 180,
  motion: 90,
  health: 180,
  system: 365,
  telemetry: 14,
};
const defaultBytes: Partial<Record<EventClass, number>> = {
  telemetry: 10_000_000_000,
  motion: 20_000_000_000,
  door: 20_000_000_000,
  access: 20_000_000_000,
};

export function readPolicies(db: Sqlite): Policy[] {
  const rows = new Map(
    db
      .prepare<[], Policy>('SELECT class, days_max, bytes_max FROM retention')
      .all()
      .map((row) => [row.class, row]),
  );
  return (Object.keys(eventClasses) as EventClass[]).map(
    (klass) =>
      rows.get(klass) ?? {
        class: klass,
        days_max: defaultDays[klass],
        bytes_max: defaultBytes[klass] ?? null,
      },
  );
}

type Volume = { class: EventClass; hour: number; rows: number; bytes: number; seq_max: number };

/** The oldest hour of the class, with its last feed position, when the class is over its limit. */
export function overLimit(
  db: Sqlite,
  policy: Policy,
  nowMs: number,
): { hour: number; seqMax: number } | undefined {
  const oldest = db
    .prepare<[string], Volume>('SELECT * FROM event_volume WHERE class = ? ORDER BY hour LIMIT 1')
    .get(policy.class);
  if (!oldest) return undefined;
  const tooOld = (oldest.hour + 1) * hourMs < nowMs - policy.days_max * 24 * hourMs;
  const tooMuch = (): boolean => policy.bytes_max !== null && bytesOf(db, policy.class) > policy.bytes_max;
  return tooOld || tooMuch() ? { hour: oldest.hour, seqMax: oldest.seq_max } : undefined;
}

const bytesOf = (db: Sqlite, klass: EventClass): number =>
  db
    .prepare<[string], { bytes: number | null }>(
      'SELECT sum(bytes) AS bytes FROM event_volume WHERE class = ?',
    )
    .get(klass)?.bytes ?? 0;

export function readForecast(db: Sqlite, nowMs: number): Forecast[] {
  const dayAgo = Math.floor(nowMs / hourMs) - 24;
  const rows = db
    .prepare<
      [number],
      { class: EventClass; rows: number; bytes: number; day_bytes: number; first_hour: number }
    >(
      `SELECT class, sum(rows) AS rows, sum(bytes) AS bytes, sum(CASE WHEN hour > ? THEN bytes ELSE 0 END) AS day_bytes, min(hour) AS first_hour
         FROM event_volume GROUP BY class`,
    )
    .all(dayAgo);
  const policies = new Map(readPolicies(db).map((policy) => [policy.class, policy]));
  return rows.map((row) => {
    // A box that runs for an hour is not judged as if it had been silent for the other 23.
    const hoursSeen = Math.min(24, Math.floor(nowMs / hourMs) - row.first_hour + 1);
    const bytesPerDay = Math.round((row.day_bytes * 24) / hoursSeen);
    const policy = policies.get(row.class);
    const byBytes = policy?.bytes_max && bytesPerDay > 0 ? policy.bytes_max / bytesPerDay : Infinity;
    return {
      class: row.class,
      rows: row.rows,
      bytes: row.bytes,
      bytes_per_day: bytesPerDay,
      oldest_at: toRfc3339(row.first_hour * hourMs),
      days_kept: bytesPerDay === 0 ? null : Math.min(policy?.days_max ?? Infinity, byBytes),
    };
  });
}
