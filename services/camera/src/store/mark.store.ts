/** What lies beside footage on a timeline: motion, events, asked-for spans, gaps, and the spans that locks hold. */
import type { Sqlite } from '@siphera/runtime';
import type { Span } from '../domain/spans.ts';

export type EventMark = { atMs: number; type: string; title: string };
export type GapRow = { id: number; from_ms: number; to_ms: number | null; why: string; told: 0 | 1 };
type SpanRow = { from_ms: number; to_ms: number | null };

/** Marks read for one answer. */
const readMax = 20_000;

/**
 * A camera may have hundreds of thousands of marks: each of the three ways reads only what can touch the range. Longer spans
 * than this are few; the partial index in the migration names the same length.
 */
const usualMsMax = 3_600_000;
const isOfKind = 'camera_id = @camera AND kind = @kind';
export const spansQuery = `
  SELECT from_ms, to_ms FROM happenings INDEXED BY happenings_by_kind
  WHERE ${isOfKind} AND from_ms BETWEEN @from - ${usualMsMax} AND @to AND to_ms >= @from AND to_ms - from_ms <= ${usualMsMax}
  UNION ALL SELECT from_ms, to_ms FROM happenings INDEXED BY happenings_long
  WHERE ${isOfKind} AND from_ms <= @to AND to_ms >= @from AND to_ms - from_ms > ${usualMsMax}
  UNION ALL SELECT from_ms, to_ms FROM happenings INDEXED BY happenings_open
  WHERE ${isOfKind} AND from_ms <= @to AND to_ms IS NULL
  ORDER BY from_ms LIMIT ${readMax}`;

export class MarkStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** Begins a motion, unless one goes on. */
  motionBegins(cameraId: string, atMs: number): void {
    this.#db
      .prepare(
        `INSERT INTO happenings (camera_id, kind, from_ms) SELECT @camera, 'motion', @at
         WHERE NOT EXISTS (SELECT 1 FROM happenings INDEXED BY happenings_open
                           WHERE camera_id = @camera AND kind = 'motion' AND to_ms IS NULL)`,
      )
      .run({ camera: cameraId, at: atMs });
  }

  /** @returns the motion that ended. */
  motionEnds(cameraId: string, atMs: number): Span | undefined {
    const row = this.#db
      .prepare<[number, string], { from_ms: number; to_ms: number }>(
        `UPDATE happenings INDEXED BY happenings_open SET to_ms = max(from_ms, ?)
         WHERE camera_id = ? AND kind = 'motion' AND to_ms IS NULL RETURNING from_ms, to_ms`,
      )
      .get(atMs, cameraId);
    return row && { fromMs: row.from_ms, toMs: row.to_ms };
  }

  event(cameraId: string, mark: EventMark & { eventId: string }): void {
    this.#db
      .prepare(
        `INSERT INTO happenings (camera_id, kind, from_ms, to_ms, type, title, event_id)
         VALUES (@camera, 'event', @at, @at, @type, @title, @event)`,
      )
      .run({ camera: cameraId, at: mark.atMs, type: mark.type, title: mark.title, event: mark.eventId });
  }

  keep(cameraId: string, span: Span, why: string): void {
    this.#db
      .prepare(`INSERT INTO happenings (camera_id, kind, from_ms, to_ms, title) VALUES (?, 'keep', ?, ?, ?)`)
      .run(cameraId, span.fromMs, Math.max(span.fromMs, span.toMs), why);
  }

  /** Spans of a kind that touch the range; a motion that goes on ends now. */
  spans(cameraId: string, kind: 'motion' | 'event' | 'keep', range: Span, nowMs: number): Span[] {
    return this.#db
      .prepare<[Record<string, unknown>], SpanRow>(spansQuery)
      .all({ camera: cameraId, kind, from: range.fromMs, to: range.toMs })
      .map((row) => ({ fromMs: row.from_ms, toMs: row.to_ms ?? Math.max(nowMs, row.from_ms) }));
  }

  events(cameraId: string, range: Span): EventMark[] {
    return this.#db
      .prepare<[string, number, number], { from_ms: number; type: string; title: string }>(
        `SELECT from_ms, type, title FROM happenings WHERE camera_id = ? AND kind = 'event' AND from_ms >= ? AND from_ms < ?
         ORDER BY from_ms LIMIT ${readMax}`,
      )
      .all(cameraId, range.fromMs, range.toMs)
      .map((row) => ({ atMs: row.from_ms, type: row.type, title: row.title }));
  }

  /** Marks of times of which there is no footage any more. */
  forgetBefore(cameraId: string, atMs: number): void {
    this.#db
      .prepare('DELETE FROM happenings WHERE camera_id = ? AND from_ms < ? AND to_ms < ?')
      .run(cameraId, atMs, atMs);
    this.#db
      .prepare('DELETE FROM gaps WHERE camera_id = ? AND from_ms < ? AND to_ms < ?')
      .run(cameraId, atMs, atMs);
  }

  openGap(cameraId: string): GapRow | undefined {
    return this.#db
      .prepare<[string], GapRow>(
        'SELECT id, from_ms, to_ms, why, told FROM gaps WHERE camera_id = ? AND to_ms IS NULL',
      )
      .get(cameraId);
  }

  addGap(cameraId: string, gap: { fromMs: number; toMs: number | null; why: string; told: boolean }): void {
    this.#db
      .prepare('INSERT INTO gaps (camera_id, from_ms, to_ms, why, told) VALUES (?, ?, ?, ?, ?)')
      .run(cameraId, gap.fromMs, gap.toMs, gap.why.slice(0, 300), gap.told ? 1 : 0);
  }

  gapTold(id: number, why: string): void {
    this.#db.prepare('UPDATE gaps SET told = 1, why = ? WHERE id = ?').run(why.slice(0, 300), id);
  }

  endGap(id: number, toMs: number): void {
    this.#db.prepare('UPDATE gaps SET to_ms = max(from_ms, ?) WHERE id = ?').run(toMs, id);
  }

  gaps(cameraId: string, range: Span, nowMs: number): (Span & { why: string })[] {
    return this.#db
      .prepare<[string, number, number], GapRow>(
        `SELECT id, from_ms, to_ms, why, told FROM gaps WHERE camera_id = ? AND from_ms < ? AND (to_ms IS NULL OR to_ms > ?)
         ORDER BY from_ms LIMIT ${readMax}`,
      )
      .all(cameraId, range.toMs, range.fromMs)
      .map((row) => ({ fromMs: row.from_ms, toMs: row.to_ms ?? Math.max(nowMs, row.from_ms), why: row.why }));
  }

  locked(cameraId: string, range: Span, nowMs: number): Span[] {
    return this.#db
      .prepare<[string, number, number, number], SpanRow>(
        `SELECT from_ms, to_ms FROM locks WHERE camera_id = ? AND to_ms >= ? AND from_ms <= ?
         AND (until_ms IS NULL OR until_ms > ?) ORDER BY from_ms LIMIT ${readMax}`,
      )
      .all(cameraId, range.fromMs, range.toMs, nowMs)
      .map((row) => ({ fromMs: row.from_ms, toMs: row.to_ms ?? row.from_ms }));
  }
}
