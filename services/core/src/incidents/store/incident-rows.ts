/** Incident and timeline rows, and how the wire shows them. */
import type { Incident, IncidentState, TimelineEntry } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime/base';

export type IncidentRow = {
  id: string;
  org_id: string;
  site_id: string;
  number: number;
  title: string;
  severity: Incident['severity'];
  state: IncidentState;
  area_id: string | null;
  area_name: string | null;
  device_id: string | null;
  device_name: string | null;
  device_ids: string;
  rule_id: string | null;
  rule_name: string | null;
  group_key: string | null;
  opened_ms: number;
  updated_ms: number;
  event_count: number;
  last_event_ms: number | null;
  late_ms: number;
  acknowledged_by: string | null;
  acknowledged_ms: number | null;
  assignee: string | null;
  resolved_by: string | null;
  resolved_ms: number | null;
  resolution: string | null;
  steps: string;
  escalation_id: string | null;
  escalation_level: number;
  test: number;
  revision: number;
  trace_id: string;
};
export type TimelineRow = {
  seq: number;
  id: string;
  incident_id: string;
  at_ms: number;
  kind: string;
  actor: string;
  text: string;
  data: string;
};

/** With the names of its area, device and rule as they are now. */
export const incidentSelect = `SELECT i.*, a.name AS area_name, d.name AS device_name, json_extract(r.definition, '$.name') AS rule_name
  FROM incidents i LEFT JOIN areas a ON a.id = i.area_id LEFT JOIN devices d ON d.id = i.device_id LEFT JOIN rules r ON r.id = i.rule_id`;

type Person = { id: string; name: string };
const person = (text: string | null): Person | null => (text === null ? null : (JSON.parse(text) as Person));
const when = <K extends string>(name: K, ms: number | null): { [P in K]?: string } =>
  ms === null ? {} : ({ [name]: toRfc3339(ms) } as { [P in K]: string });

export function toIncident(row: IncidentRow): Incident {
  return {
    id: row.id,
    org_id: row.org_id,
    site_id: row.site_id,
    number: row.number,
    title: row.title,
    severity: row.severity,
    state: row.state,
    area_id: row.area_id,
    area_name: row.area_name,
    device_id: row.device_id,
    device_name: row.device_name,
    device_ids: JSON.parse(row.device_ids) as string[],
    rule_id: row.rule_id,
    rule_name: row.rule_name,
    opened_at: toRfc3339(row.opened_ms),
    updated_at: toRfc3339(row.updated_ms),
    event_count: row.event_count,
    late_ms: row.late_ms,
    acknowledged_by: person(row.acknowledged_by),
    assignee: person(row.assignee),
    resolved_by: person(row.resolved_by),
    resolution: row.resolution === null ? null : (JSON.parse(row.resolution) as Incident['resolution']),
    steps: JSON.parse(row.steps) as Incident['steps'],
    escalation_level: row.escalation_level,
    test: row.test === 1,
    revision: row.revision,
    trace_id: row.trace_id,
    ...when('last_event_at', row.last_event_ms),
    ...when('acknowledged_at', row.acknowledged_ms),
    ...when('resolved_at', row.resolved_ms),
  };
}

export const toTimelineEntry = (row: TimelineRow): TimelineEntry => ({
  id: row.id,
  incident_id: row.incident_id,
  seq: row.seq,
  at: toRfc3339(row.at_ms),
  kind: row.kind as TimelineEntry['kind'],
  actor: JSON.parse(row.actor) as TimelineEntry['actor'],
  text: row.text,
  data: JSON.parse(row.data) as Record<string, unknown>,
});
