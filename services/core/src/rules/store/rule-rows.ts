/** Rule and trace rows, and how the wire shows them. */
import type { Rule, RuleInput, RuleTrace } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime/base';

export type RuleRow = {
  id: string;
  org_id: string;
  site_id: string;
  version: number;
  builtin: string | null;
  definition: string;
  updated_ms: number;
  updated_by: string;
  last_fired_ms: number | null;
  fired_count: number;
};
export type TraceRow = {
  n: number;
  id: string;
  rule_id: string;
  rule_name: string;
  rule_version: number;
  at_ms: number;
  outcome: RuleTrace['outcome'];
  reason: string;
  event_seq: number | null;
  incident_id: string | null;
  key: string;
  steps: string;
};

export const ruleSelect =
  'SELECT r.id, r.org_id, r.site_id, r.version, r.builtin, r.definition, r.updated_ms, r.updated_by, r.last_fired_ms, r.fired_count FROM rules r';

export const toRule = (row: RuleRow): Rule => ({
  ...(JSON.parse(row.definition) as RuleInput),
  id: row.id,
  org_id: row.org_id,
  site_id: row.site_id,
  version: row.version,
  builtin: row.builtin,
  updated_at: toRfc3339(row.updated_ms),
  updated_by: row.updated_by,
  fired_count: row.fired_count,
  ...(row.last_fired_ms === null ? {} : { last_fired_at: toRfc3339(row.last_fired_ms) }),
});

export const toTrace = (row: TraceRow): RuleTrace => ({
  id: row.id,
  rule_id: row.rule_id,
  rule_name: row.rule_name,
  rule_version: row.rule_version,
  at: toRfc3339(row.at_ms),
  outcome: row.outcome,
  reason: row.reason,
  key: row.key,
  steps: JSON.parse(row.steps) as RuleTrace['steps'],
  ...(row.event_seq === null ? {} : { event_seq: row.event_seq }),
  ...(row.incident_id === null ? {} : { incident_id: row.incident_id }),
});
