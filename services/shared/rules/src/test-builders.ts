/** Builders for tests: one per noun, each giving something valid that a test bends in one place. */
import type { EngineContext, EngineDevice, EngineEvent, EngineRule } from './types.ts';

/** Monday 2026-03-02 10:00 UTC, 11:00 in Vienna. */
export const monday = Date.UTC(2026, 2, 2, 10);
export const minute = 60_000;
export const hour = 60 * minute;

export function buildDevice(change: Partial<EngineDevice> = {}): EngineDevice {
  return {
    id: 'door-1',
    name: 'Loading dock door',
    kind: 'door',
    tags: ['outside'],
    area: { id: 'dock', name: 'Loading dock', path: ['dock', 'warehouse'] },
    ...change,
  };
}

export function buildEvent(change: Partial<EngineEvent> = {}): EngineEvent {
  const time = change.time_ms ?? change.received_ms ?? monday;
  const device = 'device' in change ? change.device : buildDevice();
  return {
    seq: 1,
    type: 'access.denied',
    class: 'access',
    title: 'Access denied',
    source: 'agent/1',
    time_ms: time,
    received_ms: time,
    clock_suspect: false,
    delivery: 'live',
    late_ms: 0,
    org_id: 'org',
    site_id: 'site',
    device,
    area: device?.area,
    data: {},
    ...change,
  };
}

export function buildRule(change: Partial<EngineRule> = {}): EngineRule {
  return {
    id: 'rule-1',
    org_id: 'org',
    site_id: 'site',
    version: 1,
    name: 'Denied at the dock',
    enabled: true,
    trigger: { kind: 'event', types: ['access.denied'], scope: {} },
    conditions: [],
    count: null,
    cooldown_ms: 0,
    actions: [buildIncidentAction()],
    ...change,
  };
}

type IncidentAction = Extract<EngineRule['actions'][number], { kind: 'incident' }>;

export function buildIncidentAction(change: Partial<IncidentAction> = {}): IncidentAction {
  return {
    kind: 'incident',
    title: '{event}: {device}',
    severity: 'high',
    group_by: 'device',
    procedure_id: null,
    escalation_id: null,
    ...change,
  };
}

export function buildContext(change: Partial<EngineContext> = {}): EngineContext {
  return {
    now_ms: monday,
    timeZone: () => 'Europe/Vienna',
    armed: () => undefined,
    device: () => buildDevice(),
    ...change,
  };
}
