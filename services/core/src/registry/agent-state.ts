/** What an agent's retained state says: who is there, clocks, and that nothing is known of what hangs on one that is away. */
import type { AgentState } from '@siphera/contract';
import { fromRfc3339, toRfc3339, newTraceId } from '@siphera/runtime/base';
import type { Ingest } from '../events/ingest.ts';
import type { StateDelivery } from '../events/mqtt-ingest.ts';
import type { Tx } from '../kernel/transaction.ts';
import type { WriterDeps } from '../writer-deps.ts';
import { announceDevice } from './device-writes.ts';

/** A clock further off than this is shown to the admin. */
const skewMsShown = 30_000;
const skewMsIgnored = 2_000;

type Row = {
  id: string;
  status: string;
  state: string | null;
  conditions: string;
  clock_skew_ms: number | null;
};

export function applyAgentState(
  tx: Tx,
  deps: WriterDeps,
  ingest: Ingest,
  agentId: string,
  state: AgentState,
  { retained, mayHaveWaited }: StateDelivery,
): void {
  const agent = tx.db
    .prepare<[string], Row>(
      'SELECT id, status, state, conditions, clock_skew_ms FROM devices WHERE id = ? AND deleted_ms IS NULL',
    )
    .get(agentId);
  if (!agent) return;
  const traceId = newTraceId(tx.random);
  const atMs = state.at === undefined ? undefined : fromRfc3339(state.at);
  // A retained state is old, and so is its clock.
  if (!retained && state.online && atMs !== undefined) {
    const skewMs = atMs - tx.nowMs;
    // Waiting makes a clock look slow, never fast: then the greater of what we know and what we see is nearer the truth.
    const best = mayHaveWaited ? Math.max(skewMs, agent.clock_skew_ms ?? skewMs) : skewMs;
    noteClock(tx, ingest, agent, best, traceId);
  }
  setStatus(tx, agent, state.online ? 'online' : 'offline', state.door ?? null, traceId);
  const children = tx.db
    .prepare<[string], Row>(
      'SELECT id, status, state, conditions, clock_skew_ms FROM devices WHERE parent_id = ? AND deleted_ms IS NULL',
    )
    .all(agentId);
  for (const child of children) {
    const said = state.children?.[child.id];
    if (!state.online) setStatus(tx, child, 'unavailable', null, traceId);
    else if (said)
      setStatus(tx, child, said.online === false ? 'offline' : 'online', said.state ?? null, traceId);
    else if (child.status === 'unavailable') setStatus(tx, child, 'unknown', null, traceId);
  }
  if (!retained && !state.online && agent.status !== 'offline')
    reportOffline(tx, deps, ingest, agentId, traceId);
}

function setStatus(tx: Tx, row: Row, status: string, state: string | null, traceId: string): void {
  const next = state ?? row.state;
  if (row.status === status && row.state === next) return;
  tx.db
    .prepare('UPDATE devices SET status = ?, state = ?, revision = revision + 1 WHERE id = ?')
    .run(status, next, row.id);
  announceDevice(tx, row.id, 'updated', traceId);
}

function noteClock(tx: Tx, ingest: Ingest, agent: Row, skewMs: number, traceId: string): void {
  ingest.noteSkew(agent.id, Math.abs(skewMs) <= skewMsIgnored ? 0 : skewMs);
  const wrong = Math.abs(skewMs) > skewMsShown;
  const before = JSON.parse(agent.conditions) as string[];
  const conditions = wrong
    ? [...new Set([...before, 'clock_skew'])].sort()
    : before.filter((condition) => condition !== 'clock_skew');
  if (
    JSON.stringify(conditions) === agent.conditions &&
    agent.clock_skew_ms !== null &&
    Math.abs(agent.clock_skew_ms - skewMs) < 1_000
  )
    return;
  tx.db
    .prepare('UPDATE devices SET clock_skew_ms = ?, conditions = ?, revision = revision + 1 WHERE id = ?')
    .run(skewMs, JSON.stringify(conditions), agent.id);
  agent.conditions = JSON.stringify(conditions);
  announceDevice(tx, agent.id, 'updated', traceId);
}

/** The broker gave us the last will: that the device went away is an event like others, for rules and the record. */
function reportOffline(tx: Tx, deps: WriterDeps, ingest: Ingest, agentId: string, traceId: string): void {
  const device = deps.index.device(agentId);
  if (!device) return;
  ingest.append(tx, {
    channel: 'system',
    origin: 'core',
    orgId: device.orgId,
    bytes: 0,
    traceId,
    value: {
      specversion: '1.0',
      id: tx.random.uuid(),
      source: 'siphera/core',
      type: 'device.offline',
      time: toRfc3339(tx.nowMs),
      subject: agentId,
      data: {},
    },
  });
}
