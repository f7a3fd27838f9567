/** The board's list, the incident page, its timeline and attachments. */
import { IncidentState, type Severity } from '@siphera/contract/base';
import type { Incident } from '@siphera/contract';
import { AppError, fromRfc3339 } from '@siphera/runtime/base';
import { areasBelow, authoriseAnywhere, authoriseOn, visibleSql } from '../kernel/access.ts';
import { decodeCursor, toPage } from '../kernel/cursor.ts';
import { readFeedSeq } from '../kernel/feed-seq.ts';
import type { ReadContext } from '../kernel/transaction.ts';
import { toProcedure, type AttachmentRow, type ProcedureRow } from './store/attachment-rows.ts';
import {
  incidentSelect,
  toIncident,
  toTimelineEntry,
  type IncidentRow,
  type TimelineRow,
} from './store/incident-rows.ts';
import { incidentScopes, readIncident } from './store/incident.store.ts';

type IncidentQuery = {
  cursor?: string | undefined;
  limit: number;
  state?: string | undefined;
  severity?: Severity | undefined;
  area_id?: string | undefined;
  device_id?: string | undefined;
  q?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
};

function readVisible({ db, actor }: ReadContext, id: string): IncidentRow {
  const row = readIncident(db, id);
  authoriseOn(actor, { read: 'incident.read' }, row ? incidentScopes(db, row) : undefined);
  return row as IncidentRow;
}

function statesOf(text: string): string[] {
  const states = text
    .split(',')
    .flatMap((state) => (state === 'open' ? ['new', 'acknowledged', 'assigned'] : [state]));
  const bad = states.find((state) => !IncidentState.safeParse(state).success);
  if (bad !== undefined)
    throw new AppError('validation_failed', `"${bad.slice(0, 30)}" is no state of an incident.`);
  return states;
}

export const incidentReads = {
  listIncidents: ({ db, actor }: ReadContext, input: IncidentQuery) => {
    const visible = visibleSql(db, actor, 'incident.read', {
      org: 'i.org_id',
      site: 'i.site_id',
      area: 'i.area_id',
      device: 'i.device_id',
    });
    const filters = [visible.sql];
    const params: unknown[] = [...visible.params];
    const add = (sql: string, ...values: unknown[]): void => {
      filters.push(sql);
      params.push(...values);
    };
    if (input.state) {
      const states = statesOf(input.state);
      add(`i.state IN (${states.map(() => '?').join(', ')})`, ...states);
    }
    if (input.severity) add('i.severity = ?', input.severity);
    if (input.area_id) {
      const below = areasBelow(db, input.area_id);
      add(`i.area_id IN (${below.map(() => '?').join(', ') || 'NULL'})`, ...below);
    }
    if (input.device_id)
      add('EXISTS (SELECT 1 FROM json_each(i.device_ids) WHERE value = ?)', input.device_id);
    if (input.since) add('i.opened_ms >= ?', fromRfc3339(input.since) ?? 0);
    if (input.until) add('i.opened_ms <= ?', fromRfc3339(input.until) ?? 0);
    if (input.q)
      add(
        "(instr(lower(i.title), lower(?)) > 0 OR CAST(i.number AS TEXT) = ? OR instr(lower(coalesce(d.name, a.name, '')), lower(?)) > 0)",
        input.q,
        input.q.replace(/^#/, ''),
        input.q,
      );
    if (input.cursor) add('i.number < ?', Number(decodeCursor(input.cursor)));
    const rows = db
      .prepare<unknown[], IncidentRow>(
        `${incidentSelect} WHERE ${filters.join(' AND ')} ORDER BY i.number DESC LIMIT ?`,
      )
      .all(...params, input.limit + 1);
    return { ...toPage(rows, input.limit, toIncident, (row) => row.number), feed_seq: readFeedSeq(db) };
  },

  getIncident: (context: ReadContext, input: { id: string }): Incident =>
    toIncident(readVisible(context, input.id)),

  /** For what is checked before it is written, so that nobody without the right makes the box work. */
  requireIncidentAct: ({ db, actor }: ReadContext, input: { id: string }): void => {
    const row = readIncident(db, input.id);
    authoriseOn(
      actor,
      { read: 'incident.read', act: 'incident.act' },
      row ? incidentScopes(db, row) : undefined,
    );
  },

  listTimeline: (context: ReadContext, input: { id: string; cursor?: string | undefined; limit: number }) => {
    readVisible(context, input.id);
    const rows = context.db
      .prepare<unknown[], TimelineRow>(
        'SELECT seq, id, incident_id, at_ms, kind, actor, text, data FROM timeline WHERE incident_id = ? AND seq > ? ORDER BY seq LIMIT ?',
      )
      .all(input.id, input.cursor ? Number(decodeCursor(input.cursor)) : 0, input.limit + 1);
    return {
      ...toPage(rows, input.limit, toTimelineEntry, (row) => row.seq),
      feed_seq: readFeedSeq(context.db),
    };
  },

  getAttachment: (
    context: ReadContext,
    input: { id: string },
  ): { name: string; media_type: string; body: Uint8Array } => {
    const row = context.db
      .prepare<[string], AttachmentRow & { body: Buffer }>('SELECT * FROM attachments WHERE id = ?')
      .get(input.id);
    if (!row) throw new AppError('not_found', 'There is no such attachment.');
    readVisible(context, row.incident_id);
    return { name: row.name, media_type: row.media_type, body: row.body };
  },

  listProcedures: ({ db, actor }: ReadContext, _input: Record<string, never>) => {
    authoriseAnywhere(actor, 'incident.read');
    const items = db
      .prepare<[string], ProcedureRow>('SELECT * FROM procedures WHERE org_id = ? ORDER BY name')
      .all(actor.orgId)
      .map(toProcedure);
    return { items };
  },
};
