/** Rules and events of the rules benchmark, and the same rules in the languages of the peers. */
import type { EngineContext, EngineEvent, EngineRule } from '@siphera/rules';

/** `building`: rules look at areas, devices and kinds of a site. `one type`: every rule looks at every event. */
export type Shape = 'building' | 'one type';

type Condition = Extract<EngineRule['conditions'][number], { kind: 'data' }>;

const siteId = 'site';
const orgId = 'org';
const deviceCount = 500;
const areaCount = 50;

export const context: EngineContext = {
  now_ms: 1_790_000_000_000,
  timeZone: () => 'Europe/Vienna',
  armed: () => undefined,
  device: () => undefined,
};

export function benchRule(index: number, shape: Shape): EngineRule {
  return {
    id: `rule-${index}`,
    org_id: orgId,
    site_id: siteId,
    version: 1,
    name: `Rule ${index}`,
    enabled: true,
    trigger: { kind: 'event', types: ['telemetry.reading'], scope: shape === 'building' ? scope(index) : {} },
    conditions: conditions(index),
    count: null,
    cooldown_ms: 0,
    actions: [
      {
        kind: 'incident',
        title: '{device}: {data.zone}',
        severity: 'high',
        group_by: 'device',
        procedure_id: null,
        escalation_id: null,
      },
    ],
  };
}

function scope(index: number): EngineRule['trigger']['scope'] {
  if (index % 10 === 0) return { area_ids: [`area-${index % areaCount}`] };
  return { device_ids: [`device-${index % deviceCount}`] };
}

/** Five clauses. The first four hold for many events; the last one tells a thousand rules apart. */
function conditions(index: number): Condition[] {
  return [
    { kind: 'data', path: 'zone', op: 'gte', value: 1 },
    { kind: 'data', path: 'kind', op: 'in', value: ['door', 'window'] },
    { kind: 'data', path: 'temperature', op: 'gt', value: 10 + (index % 7) },
    { kind: 'data', path: 'open', op: 'eq', value: true },
    { kind: 'data', path: 'badge', op: 'eq', value: `badge-${index % 1_000}` },
  ];
}

export function benchEvent(index: number, shape: Shape): EngineEvent {
  const area = { id: `area-${index % areaCount}`, name: 'Hall', path: [`area-${index % areaCount}`, 'top'] };
  const id = `device-${index % deviceCount}`;
  return {
    seq: index,
    type: 'telemetry.reading',
    class: 'telemetry',
    title: 'Reading',
    source: `bench/${shape}`,
    time_ms: context.now_ms,
    received_ms: context.now_ms,
    clock_suspect: false,
    delivery: 'live',
    late_ms: 0,
    org_id: orgId,
    site_id: siteId,
    device: { id, name: `Door ${index}`, kind: 'door', tags: [], area },
    area,
    data: {
      zone: 1 + (index % 9),
      kind: 'door',
      temperature: 30,
      open: true,
      badge: `badge-${index % 10 === 3 ? 3 : index + 100}`,
    },
  };
}

/** The event as facts: what the rules ask of it, device and areas included. */
export function facts(event: EngineEvent): Record<string, unknown> {
  return { ...event.data, type: event.type, device: event.device?.id, areas: event.area?.path ?? [] };
}

export function toJsonRule(rule: EngineRule) {
  const { types, scope: narrow } = rule.trigger;
  const all: { fact: string; operator: string; value: unknown }[] = [
    { fact: 'type', operator: 'in', value: types },
    ...(narrow.device_ids ? [{ fact: 'device', operator: 'in', value: narrow.device_ids }] : []),
    ...(narrow.area_ids ? [{ fact: 'areas', operator: 'contains', value: narrow.area_ids[0] }] : []),
    ...dataConditions(rule).map(({ path, op, value }) => ({
      fact: path,
      operator: operators[op].rule,
      value,
    })),
  ];
  return { conditions: { all }, event: { type: rule.id } };
}

export function toJsonLogic(rule: EngineRule) {
  return {
    and: dataConditions(rule).map(({ path, op, value }) => ({
      [operators[op].logic]: [{ var: path }, value],
    })),
  };
}

function dataConditions(rule: EngineRule): (Condition & { op: keyof typeof operators })[] {
  return rule.conditions.filter(
    (one): one is Condition & { op: keyof typeof operators } => one.kind === 'data' && one.op in operators,
  );
}

const operators = {
  eq: { rule: 'equal', logic: '===' },
  gt: { rule: 'greaterThan', logic: '>' },
  gte: { rule: 'greaterThanInclusive', logic: '>=' },
  in: { rule: 'in', logic: 'in' },
} as const;
