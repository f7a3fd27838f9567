/** Reads the feed: `events` and `changes` share one counter and are merged by it. Heartbeats and readings stay out. */
import type { FeedEntry} from '@siphera/contract';
import { type FeedLine, type Permission } from '@siphera/contract';
import { toRfc3339, type Sqlite } from '@siphera/runtime';
import { eventColumns, toStoredEvent, type EventRow } from '../events/store/event-row.ts';
import { scopesOf } from './access.ts';

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

export class FeedReader {
  readonly #changes;
  readonly #events;
  readonly #seq;
  readonly #oldest;
  readonly #db: Sqlite;
  /** Scope keys of an area or device place; dropped when the registry changes. */
  readonly #scopes = new Map<string, readonly string[]>();

  constructor(db: Sqlite) {
    this.#db = db;
    this.#changes = db.prepare<[number, number, number], ChangeRow>(
      'SELECT seq, at_ms, kind, action, ref_id, audience, scopes, trace_id, data FROM changes WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?',
    );
    this.#events = db.prepare<[number, number, number], EventRow>(
      `SELECT ${eventColumns} FROM events e LEFT JOIN devices d ON d.id = e.device_id LEFT JOIN areas a ON a.id = e.area_id
       WHERE e.seq > ? AND e.seq <= ? AND e.class <> 'telemetry' ORDER BY e.seq LIMIT ?`,
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

  /** Entries after `after`, at most `limit`; `upto` is how far the reading went, whether or not entries were there. */
  read(after: number, limit: number, nowMs: number): FeedLine {
    const end = this.position();
    if (after >= end) return { entries: [], upto: Math.max(after, end), at: toRfc3339(nowMs) };
    const changes = this.#changes.all(after, end, limit);
    const events = this.#events.all(after, end, limit);
    for (const change of changes)
      if (change.kind === 'area' || change.kind === 'device' || change.kind === 'site') this.#scopes.clear();
    const entries = [...changes.map(changeEntry), ...events.map((row) => this.#eventEntry(row))]
      .sort((a, b) => a.seq - b.seq)
      .slice(0, limit);
    const full = changes.length === limit || events.length === limit || entries.length === limit;
    return { entries, upto: full ? (entries.at(-1)?.seq ?? end) : end, at: toRfc3339(nowMs) };
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
    const key = row.device_id ?? row.area_id ?? row.site_id ?? row.org_id;
    const known = this.#scopes.get(key);
    if (known) return known;
    const found =
      (row.device_id ? scopesOf(this.#db, { kind: 'device', id: row.device_id }) : undefined) ??
      (row.area_id ? scopesOf(this.#db, { kind: 'area', id: row.area_id }) : undefined) ??
      (row.site_id ? scopesOf(this.#db, { kind: 'site', id: row.site_id }) : undefined);
    const scopes = found?.scopes ?? [`org:${row.org_id}`];
    this.#scopes.set(key, scopes);
    return scopes;
  }
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
