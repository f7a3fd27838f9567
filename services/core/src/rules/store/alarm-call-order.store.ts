/** Alarm calls that rules ordered, and whom they ring. */
import type { AlarmCallOrder } from '@siphera/contract';
import type { Sqlite } from '@siphera/runtime/base';

export type CallTarget = AlarmCallOrder['targets'][number];
type Person = { id: string; name: string };

/** The active ones of these users, in this order. */
export const callableUsers = (db: Sqlite, orgId: string, userIds: readonly string[]): Person[] =>
  db
    .prepare<[string, string], Person>(
      `SELECT u.id, u.name FROM json_each(?) asked JOIN users u ON u.id = asked.value
       WHERE u.org_id = ? AND u.active = 1 AND u.deleted_ms IS NULL ORDER BY asked.key`,
    )
    .all(JSON.stringify(userIds), orgId);

/** The active members of these groups: group by group, by name. */
export const callableMembers = (db: Sqlite, orgId: string, groupIds: readonly string[]): Person[] =>
  db
    .prepare<[string, string], Person>(
      `SELECT u.id, u.name FROM json_each(?) asked JOIN group_members m ON m.group_id = asked.value
       JOIN users u ON u.id = m.user_id
       WHERE u.org_id = ? AND u.active = 1 AND u.deleted_ms IS NULL ORDER BY asked.key, u.name, u.id`,
    )
    .all(JSON.stringify(groupIds), orgId);

/** @returns false when the rule has called for this incident already. */
export const insertCallOrder = (
  db: Sqlite,
  order: AlarmCallOrder & { rule_id: string; ordered_ms: number },
): boolean =>
  db
    .prepare(
      `INSERT INTO alarm_call_orders (id, org_id, incident_id, rule_id, say, targets, rounds, ring_s, ordered_ms)
       VALUES (@id, @org_id, @incident_id, @rule_id, @say, @targets, @rounds, @ring_s, @ordered_ms)
       ON CONFLICT (incident_id, rule_id) DO NOTHING`,
    )
    .run({ ...order, targets: JSON.stringify(order.targets) }).changes === 1;

/** The orders for an incident, with everybody whom they ring. */
export const callOrdersFor = (db: Sqlite, incidentId: string): { id: string; targets: CallTarget[] }[] =>
  db
    .prepare<[string], { id: string; targets: string }>(
      'SELECT id, targets FROM alarm_call_orders WHERE incident_id = ? ORDER BY ordered_ms, id',
    )
    .all(incidentId)
    .map(({ id, targets }) => ({ id, targets: JSON.parse(targets) as CallTarget[] }));
