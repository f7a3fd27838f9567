/**
 * Orders the calls of a rule for its incident: a row, a line on the timeline and an entry of the feed that the SIP bridge
 * follows, all in the transaction of the incident. Rings nobody itself.
 */
import type { AlarmCallOrder } from '@siphera/contract';
import type { CallDecision } from '@siphera/rules';
import { incidentScopes, readIncident } from '../incidents/store/incident.store.ts';
import { addTimeline } from '../incidents/store/timeline.store.ts';
import type { Actor } from '../kernel/actor.ts';
import type { Tx } from '../kernel/transaction.ts';
import { callableMembers, callableUsers, insertCallOrder } from './store/alarm-call-order.store.ts';

/** People of one order: with a minute each, a round takes an hour, and whoever could help has given up by then. */
const peopleMax = 50;

/** Nobody is called for an incident that somebody has taken, nor twice by the same rule. */
export function orderCalls(
  tx: Tx,
  by: { actor: Actor; traceId: string },
  incidentId: string,
  action: CallDecision,
): void {
  const incident = readIncident(tx.db, incidentId);
  if (incident?.state !== 'new' || incident.test === 1) return;
  const { org_id } = incident;
  const people = new Map(
    [
      ...callableUsers(tx.db, org_id, action.user_ids),
      ...callableMembers(tx.db, org_id, action.group_ids),
    ].map(({ id, name }) => [id, name]),
  );
  const called = [...people].slice(0, peopleMax);
  const order: AlarmCallOrder = {
    id: tx.random.uuid(),
    org_id,
    incident_id: incidentId,
    say: action.say,
    targets: [
      ...called.map(([user_id]) => ({ user_id, number: null })),
      ...action.numbers.map((number) => ({ user_id: null, number })),
    ],
    rounds: action.rounds,
    ring_s: action.ring_s,
  };
  if (!insertCallOrder(tx.db, { ...order, rule_id: by.actor.id, ordered_ms: tx.nowMs })) return;
  const names = [...called.map(([, name]) => name), ...action.numbers];
  addTimeline(tx, {
    incidentId,
    kind: 'notification',
    actor: by.actor,
    text:
      names.length === 0
        ? 'Nobody to call by phone: those whom the rule names are gone'
        : `To be called by phone, one after another: ${names.join(', ')}`,
    data: { alarm_call_id: order.id, say: order.say },
    traceId: by.traceId,
  });
  if (names.length === 0) return;
  tx.change({
    kind: 'alarm_call',
    action: 'created',
    id: order.id,
    orgId: org_id,
    audience: 'phone.read',
    scopes: incidentScopes(tx.db, incident).scopes,
    traceId: by.traceId,
    data: order,
  });
}
