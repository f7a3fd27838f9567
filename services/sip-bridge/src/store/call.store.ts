/** Calls that go on and those that were, with whose they are and where they took place. */
import type { Sqlite } from '@siphera/runtime';
import type { CallFacts, CallStep, Direction } from '../domain/call-fold.ts';
import type { Outcome } from '../domain/call-outcome.ts';

export type CallParty = { number: string; name: string; userId: string | null };
export type CallRow = {
  id: string;
  callId: string;
  orgId: string;
  direction: Direction;
  state: CallFacts['state'];
  outcome: Outcome | null;
  reason: string | null;
  from: CallParty;
  to: CallParty;
  dialled: string;
  answeredBy: string | null;
  trunkId: string | null;
  trunkName: string | null;
  relayed: boolean;
  doorNumber: string | null;
  doorId: string | null;
  cameraId: string | null;
  incidentId: string | null;
  startedMs: number;
  answeredMs: number | null;
  endedMs: number | null;
  heardMs: number;
  /** Undefined: the call is closed for good. */
  steps: readonly CallStep[] | undefined;
};
export type CallFilter = {
  orgId: string;
  outcome?: 'missed' | 'answered' | undefined;
  fromMs?: number | undefined;
  toMs?: number | undefined;
  /** Only calls that started before that one, in the order of the list. */
  before?: { startedMs: number; id: string } | undefined;
  limit: number;
};
/** Of whom, or within which scopes. */
export type CallView = { userId: string } | { scopes: readonly string[] };

type Row = Omit<CallRow, 'from' | 'to' | 'relayed' | 'steps'> & {
  fromNumber: string;
  fromName: string;
  fromUserId: string | null;
  toNumber: string;
  toName: string;
  toUserId: string | null;
  relayed: number;
  steps: string | null;
};

/** Column → name here; the order is that of the statements. */
const names = {
  id: 'id',
  call_id: 'callId',
  org_id: 'orgId',
  direction: 'direction',
  state: 'state',
  outcome: 'outcome',
  reason: 'reason',
  from_number: 'fromNumber',
  from_name: 'fromName',
  from_user_id: 'fromUserId',
  to_number: 'toNumber',
  to_name: 'toName',
  to_user_id: 'toUserId',
  dialled: 'dialled',
  answered_by: 'answeredBy',
  trunk_id: 'trunkId',
  trunk_name: 'trunkName',
  relayed: 'relayed',
  door_number: 'doorNumber',
  door_id: 'doorId',
  camera_id: 'cameraId',
  incident_id: 'incidentId',
  started_ms: 'startedMs',
  answered_ms: 'answeredMs',
  ended_ms: 'endedMs',
  heard_ms: 'heardMs',
  steps: 'steps',
} as const satisfies Record<string, keyof Row>;
const columns = Object.keys(names);
const select = Object.entries(names)
  .map(([column, name]) => `c.${column} AS ${name}`)
  .join(', ');
const upsert = `INSERT INTO calls (${columns.join(', ')}) VALUES (${Object.values(names)
  .map((name) => `@${name}`)
  .join(', ')}) ON CONFLICT (id) DO UPDATE SET ${columns
  .filter((column) => column !== 'id')
  .map((column) => `${column} = excluded.${column}`)
  .join(', ')}`;
const inScopes =
  'EXISTS (SELECT 1 FROM call_scopes s WHERE s.call = c.id AND s.scope IN (SELECT value FROM json_each(@scopes)))';

export class CallStore {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  get(id: string): CallRow | undefined {
    const row = this.#db.prepare<[string], Row>(`SELECT ${select} FROM calls c WHERE c.id = ?`).get(id);
    return row && fromRow(row);
  }

  byCallId(callId: string): CallRow | undefined {
    const row = this.#db
      .prepare<[string], Row>(`SELECT ${select} FROM calls c WHERE c.call_id = ?`)
      .get(callId);
    return row && fromRow(row);
  }

  save(row: CallRow): void {
    const { from, to, steps, relayed, ...rest } = row;
    this.#db.prepare(upsert).run({
      ...rest,
      fromNumber: from.number,
      fromName: from.name,
      fromUserId: from.userId,
      toNumber: to.number,
      toName: to.name,
      toUserId: to.userId,
      relayed: Number(relayed),
      steps: steps ? JSON.stringify(steps) : null,
    });
  }

  /** Whose it is (`true`: called) and where; what was said before of the call no longer counts. */
  saveParties(row: CallRow, users: ReadonlyMap<string, boolean>, scopes: readonly string[]): void {
    this.#db.prepare('DELETE FROM call_users WHERE call = ?').run(row.id);
    this.#db.prepare('DELETE FROM call_scopes WHERE call = ?').run(row.id);
    const addUser = this.#db.prepare(
      'INSERT INTO call_users (user_id, started_ms, call, is_caller) VALUES (?, ?, ?, ?)',
    );
    for (const [userId, isCaller] of users) addUser.run(userId, row.startedMs, row.id, Number(isCaller));
    const addScope = this.#db.prepare('INSERT OR IGNORE INTO call_scopes (call, scope) VALUES (?, ?)');
    for (const scope of scopes) addScope.run(row.id, scope);
  }

  scopesOf(id: string): string[] {
    return this.#db.prepare<[string], string>('SELECT scope FROM call_scopes WHERE call = ?').pluck().all(id);
  }

  /** Oldest first. */
  live(limit: number): CallRow[] {
    return this.#db
      .prepare<[number], Row>(
        `SELECT ${select} FROM calls c WHERE c.ended_ms IS NULL ORDER BY c.started_ms, c.id LIMIT ?`,
      )
      .all(limit)
      .map(fromRow);
  }

  /** Of an organisation within scopes, newest first. */
  listLive(scopes: readonly string[], orgId: string, limit: number): CallRow[] {
    return this.#db
      .prepare<[Record<string, unknown>], Row>(
        `SELECT ${select} FROM calls c WHERE c.ended_ms IS NULL AND c.org_id = @orgId AND ${inScopes}
           ORDER BY c.started_ms DESC, c.id DESC LIMIT @limit`,
      )
      .all({ scopes: JSON.stringify(scopes), orgId, limit })
      .map(fromRow);
  }

  setIncident(callId: string, incidentId: string): void {
    this.#db.prepare('UPDATE calls SET incident_id = ? WHERE call_id = ?').run(incidentId, callId);
  }

  /** Newest first. */
  list(view: CallView, filter: CallFilter): CallRow[] {
    const { before, outcome, fromMs = 0, toMs = Number.MAX_SAFE_INTEGER } = filter;
    const isMine = 'userId' in view;
    const key = isMine ? 'u.started_ms, u.call' : 'c.started_ms, c.id';
    const where = [
      'c.org_id = @orgId',
      isMine ? 'u.user_id = @userId' : inScopes,
      isMine ? 'u.started_ms BETWEEN @fromMs AND @toMs' : 'c.started_ms BETWEEN @fromMs AND @toMs',
      ...(before ? [`(${key}) < (@beforeMs, @beforeId)`] : []),
      ...(outcome ? ['c.outcome = @outcome'] : []),
      // What I dialled in vain I have not missed.
      ...(outcome === 'missed' && isMine ? ['u.is_caller = 0'] : []),
    ];
    const from = isMine ? 'call_users u JOIN calls c ON c.id = u.call' : 'calls c';
    return this.#db
      .prepare<[Record<string, unknown>], Row>(
        `SELECT ${select} FROM ${from} WHERE ${where.join(' AND ')} ORDER BY ${key.replaceAll(',', ' DESC,')} DESC LIMIT @limit`,
      )
      .all({
        orgId: filter.orgId,
        limit: filter.limit,
        fromMs,
        toMs,
        ...(isMine ? { userId: view.userId } : { scopes: JSON.stringify(view.scopes) }),
        ...(before ? { beforeMs: before.startedMs, beforeId: before.id } : {}),
        ...(outcome ? { outcome } : {}),
      })
      .map(fromRow);
  }

  /** Calls that ended before then take no further reports. */
  closeEnded(beforeMs: number, limit: number): number {
    return this.#db
      .prepare(
        `UPDATE calls SET steps = NULL WHERE id IN
           (SELECT id FROM calls WHERE ended_ms IS NOT NULL AND steps IS NOT NULL AND ended_ms < ? LIMIT ?)`,
      )
      .run(beforeMs, limit).changes;
  }

  /** Ended calls that started before then, and the oldest ones above `rowsMax`; at most `limit`. */
  removeOld(beforeMs: number, rowsMax: number, limit: number): number {
    const count = this.#db.prepare<[], number>('SELECT count(*) FROM calls').pluck().get() ?? 0;
    return this.#db
      .prepare(
        `DELETE FROM calls WHERE id IN (SELECT id FROM calls WHERE ended_ms IS NOT NULL ORDER BY started_ms, id LIMIT @limit)
           AND (started_ms < @beforeMs OR id IN
             (SELECT id FROM calls WHERE ended_ms IS NOT NULL ORDER BY started_ms, id LIMIT @surplus))`,
      )
      .run({ beforeMs, limit, surplus: Math.max(0, Math.min(count - rowsMax, limit)) }).changes;
  }
}

function fromRow(row: Row): CallRow {
  const { fromNumber, fromName, fromUserId, toNumber, toName, toUserId, relayed, steps, ...rest } = row;
  return {
    ...rest,
    from: { number: fromNumber, name: fromName, userId: fromUserId },
    to: { number: toNumber, name: toName, userId: toUserId },
    relayed: relayed === 1,
    steps: steps === null ? undefined : (JSON.parse(steps) as CallStep[]),
  };
}
