/** Lists and look-ups of events, dead letters, retention. */
import { eventTypes, type EventClass, type StoredEvent } from '@siphera/contract/base';
import type { DeadLetter } from '@siphera/contract';
import { AppError, fromRfc3339, toRfc3339 } from '@siphera/runtime/base';
import { statfsSync } from 'node:fs';
import { z } from 'zod';
import {
  areasBelow,
  authorise,
  authoriseOn,
  orgScope,
  scopesOfRecord,
  visibleSql,
} from '../kernel/access.ts';
import { decodeCursor, toPage } from '../kernel/cursor.ts';
import { readFeedSeq } from '../kernel/feed-seq.ts';
import type { ReadContext } from '../kernel/transaction.ts';
import { eventColumns, toStoredEvent, type EventRow } from './store/event-row.ts';
import { readForecast, readPolicies } from './store/retention.store.ts';

type EventQuery = {
  cursor?: string | undefined;
  limit: number;
  type?: string | undefined;
  class?: EventClass | undefined;
  device_id?: string | undefined;
  area_id?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
  q?: string | undefined;
};
type DeadRow = {
  id: string;
  org_id: string;
  received_ms: number;
  channel: z.infer<typeof DeadLetter>['channel'];
  origin: string;
  code: z.infer<typeof DeadLetter>['code'];
  reason: string;
  bytes: number;
  payload: Buffer;
};

const from = 'FROM events e LEFT JOIN devices d ON d.id = e.device_id LEFT JOIN areas a ON a.id = e.area_id';
/** Rows a search by text or rare type may walk over before it gives the page it has; the cursor goes on from there. */
const scanRowsMax = 200_000;

export const eventReads = {
  listEvents: ({ db, actor }: ReadContext, input: EventQuery) => {
    const visible = visibleSql(db, actor, 'event.read', {
      org: 'e.org_id',
      site: 'e.site_id',
      area: 'e.area_id',
      device: 'e.device_id',
    });
    const before = input.cursor ? Number(decodeCursor(input.cursor)) : readFeedSeq(db) + 1;
    const filters = [visible.sql, 'e.seq < ?', 'e.seq > ?'];
    const floor = before - scanRowsMax;
    const params: unknown[] = [...visible.params, before, floor];
    const add = (sql: string, ...values: unknown[]): void => {
      filters.push(sql);
      params.push(...values);
    };
    // Nobody looks for an alarm among heartbeats.
    if (!input.class && !input.type && !input.device_id) add(`e.class <> 'telemetry'`);
    if (input.type) add('e.type = ?', input.type);
    if (input.class) add('e.class = ?', input.class);
    if (input.device_id) add('e.device_id = ?', input.device_id);
    if (input.area_id) {
      const below = areasBelow(db, input.area_id);
      add(`e.area_id IN (${below.map(() => '?').join(', ') || 'NULL'})`, ...below);
    }
    if (input.since) add('e.time_ms >= ?', fromRfc3339(input.since) ?? 0);
    if (input.until) add('e.time_ms <= ?', fromRfc3339(input.until) ?? 0);
    if (input.q)
      add(
        '(instr(lower(d.name), lower(?)) > 0 OR instr(lower(e.type), lower(?)) > 0 OR instr(lower(e.data), lower(?)) > 0)',
        input.q,
        input.q,
        input.q,
      );
    const rows = db
      .prepare<unknown[], EventRow>(
        `SELECT ${eventColumns} ${from} WHERE ${filters.join(' AND ')} ORDER BY e.seq DESC LIMIT ?`,
      )
      .all(...params, input.limit + 1);
    const page = toPage(rows, input.limit, toStoredEvent, (row) => row.seq);
    const more =
      page.next_cursor !== undefined || floor <= 0
        ? {}
        : { next_cursor: Buffer.from(JSON.stringify([floor + 1])).toString('base64url') };
    return { ...page, ...more, feed_seq: readFeedSeq(db) };
  },

  getEvent: ({ db, actor }: ReadContext, input: { seq: number }): StoredEvent => {
    const row = db
      .prepare<[number], EventRow>(`SELECT ${eventColumns} ${from} WHERE e.seq = ?`)
      .get(input.seq);
    authoriseOn(actor, { read: 'event.read' }, row ? scopesOfRecord(db, row) : undefined);
    return toStoredEvent(row as EventRow);
  },

  listEventTypes: ({ actor }: ReadContext, _input: Record<string, never>) => {
    if (!actor.grants.some((grant) => grant.permissions.includes('event.read')))
      throw new AppError('forbidden', 'You need the permission event.read.');
    return { items: eventTypeList };
  },

  listDeadLetters: ({ db, actor }: ReadContext, input: { cursor?: string | undefined; limit: number }) => {
    authorise(actor, 'system.read', orgScope(actor.orgId));
    const before = input.cursor ? decodeCursor(input.cursor) : 'g';
    const rows = db
      .prepare<unknown[], DeadRow>(
        'SELECT * FROM dead_letters WHERE org_id = ? AND id < ? ORDER BY id DESC LIMIT ?',
      )
      .all(actor.orgId, before, input.limit + 1);
    return { ...toPage(rows, input.limit, toDeadLetter, (row) => row.id), feed_seq: readFeedSeq(db) };
  },

  getRetention: ({ db, actor, nowMs }: ReadContext, input: { data_dir: string }) => {
    authorise(actor, 'system.read', orgScope(actor.orgId));
    const pages = db.pragma('page_count', { simple: true }) as number;
    const pageBytes = db.pragma('page_size', { simple: true }) as number;
    const disk = statfsSync(input.data_dir);
    return {
      policies: readPolicies(db),
      forecast: readForecast(db, nowMs),
      database_bytes: pages * pageBytes,
      disk_free_bytes: disk.bavail * disk.bsize,
    };
  },
};

const eventTypeList = Object.entries(eventTypes).map(([type, definition]) => ({
  type,
  class: definition.class,
  version: definition.version,
  title: definition.title,
  alarm: ['panic', 'duress', 'fire', 'intrusion', 'tamper', 'panel'].includes(definition.class),
  schema: z.toJSONSchema(definition.data, { unrepresentable: 'any' }),
}));

const toDeadLetter = (row: DeadRow): z.infer<typeof DeadLetter> => ({
  id: row.id,
  org_id: row.org_id,
  received_at: toRfc3339(row.received_ms),
  channel: row.channel,
  origin: row.origin,
  code: row.code,
  reason: row.reason,
  bytes: row.bytes,
  payload: row.payload.subarray(0, 4_096).toString('utf8'),
});
