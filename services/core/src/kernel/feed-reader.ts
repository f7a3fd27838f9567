/** Reads the feed: `events` and `changes` share one counter and are merged by it. Heartbeats and readings stay out. */
import type { FeedEntry } from '@siphera/contract';
import { type FeedLine, type Permission } from '@siphera/contract';
import { toRfc3339, type Sqlite } from '@siphera/runtime';
import { eventColumns, toStoredEvent, type EventRow } from '../events/store/event-row.ts';
import { scopesOfRecord } from './access.ts';

type ChangeRow = {
  seq: number;
  at_ms: number;
  kind: string;
  action: string;
  ref_id: string;
  audience: string;
  scopes: string;
  trace_id: string | null;
  data: string | null;
};

/**
 * Bytes of one line, give or take an entry: a follower is cut when it leaves much unread, and must not be cut again and
 * again by one line of large events.
 */
export const lineBytesMax = 1024 * 1024;
const entryOverheadBytes = 500;

export class FeedReader {
  readonly #changes;
  readonly #events;
  readonly #seq;
  readonly #oldest;
  readonly #db: Sqlite;
  readonly #bytes = new WeakMap<FeedEntry, number>();
  /** Scope keys of an area or device place; dropped when the registry changes. */
  readonly #scopes = new Map<string, readonly string[]>();

  constructor(db: Sqlite) {
    this.#db = db;
    this.#changes = db.prepare<[number, number, number], ChangeRow>(
      'SELECT seq, at_ms, kind, action, ref_id, audience, scopes, trace_id, data FROM changes WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?',
    );
    this.#events = db.prepare<[number, number, number], EventRow>(
      `SELECT ${eventColumns} FROM events e LEFT JOIN devices d ON d.id = e.device_id LEFT JOIN areas a ON a.id = e.area_id
       WHERE e.seq > ? AND e.seq <= ? AND e.class <> 'telemetry' ORDER BY e.seq LIMIT +?`,
    );
    this.#seq = db.prepare<[], { value: string }>(`SELECT value FROM facts WHERE name = 'feed_seq'`);
    this.#oldest = db.prepare<[], { value: string }>(`SELECT value FROM facts WHERE name = 'feed_floor'`);
  }

  /** Newest committed position. */
  position(): number {
    return Number(this.#seq.get()?.value ?? 0);
  }

  /** Positions up to this one are no longer kept; a reader from before it must take a new snapshot. */
  floor(): number {
    return Number(this.#oldest.get()?.value ?? 0);
  }

  /** Roughly what the entry takes on the wire. */
  bytesOf(entry: FeedEntry): number {
    return this.#bytes.get(entry) ?? entryOverheadBytes;
  }

  /** Entries after `after`, at most `limit` and some megabytes; `upto` is how far the reading went, whether or not entries were there. */
  read(after: number, limit: number, nowMs: number): FeedLine {
    const end = this.position();
    if (after >= end) return { entries: [], upto: Math.max(after, end), at: toRfc3339(nowMs) };
    const changes = takeRows(this.#changes.iterate(after, end, limit), limit, end);
    const events = takeRows(this.#events.iterate(after, end, limit), limit, end);
    for (const change of changes.rows)
      if (change.kind === 'area' || change.kind === 'device' || change.kind === 'site') this.#scopes.clear();
    // Beyond where one of the two was cut, the other may lack what lies between.
    const upto = Math.min(changes.upto, events.upto);
    const entries = [
      ...changes.rows.map((row) => this.#sized(changeEntry(row), row)),
      ...events.rows.map((row) => this.#sized(this.#eventEntry(row), row)),
    ]
      .filter((entry) => entry.seq <= upto)
      .sort((one, two) => one.seq - two.seq);
    return { entries, upto, at: toRfc3339(nowMs) };
  }

  #sized(entry: FeedEntry, row: { data: string | null }): FeedEntry {
    this.#bytes.set(entry, entryOverheadBytes + (row.data?.length ?? 0));
    return entry;
  }

  #eventEntry(row: EventRow): FeedEntry {
    return {
      seq: row.seq,
      at: toRfc3339(row.recorded_ms),
      kind: 'event',
      action: 'created',
      id: String(row.seq),
      audience: 'event.read',
      scopes: [...this.#placeScopes(row)],
      trace_id: row.trace_id,
      data: toStoredEvent(row),
    };
  }

  #placeScopes(row: EventRow): readonly string[] {
    const key = `${row.device_id ?? ''} ${row.area_id ?? row.site_id ?? row.org_id}`;
    const known = this.#scopes.get(key);
    if (known) return known;
    const { scopes } = scopesOfRecord(this.#db, row);
    this.#scopes.set(key, scopes);
    return scopes;
  }
}

/** Rows until the limit or the bytes are reached; `upto` is how far they are complete. */
function takeRows<Row extends { seq: number; data: string | null }>(
  rows: Iterable<Row>,
  limit: number,
  end: number,
): { rows: Row[]; upto: number } {
  const taken: Row[] = [];
  let bytes = 0;
  for (const row of rows) {
    taken.push(row);
    bytes += entryOverheadBytes + (row.data?.length ?? 0);
    if (taken.length === limit || bytes >= lineBytesMax) return { rows: taken, upto: row.seq };
  }
  return { rows: taken, upto: end };
}

function changeEntry(row: ChangeRow): FeedEntry {
  return {
    seq: row.seq,
    at: toRfc3339(row.at_ms),
    kind: row.kind as FeedEntry['kind'],
    action: row.action as FeedEntry['action'],
    id: row.ref_id,
    audience: row.audience as Permission,
    scopes: JSON.parse(row.scopes) as string[],
    ...(row.trace_id === null ? {} : { trace_id: row.trace_id }),
    ...(row.data === null ? {} : { data: JSON.parse(row.data) as unknown }),
  };
}
