/**
 * What the engine takes and gives. All of it is plain data or narrow readers, so that a caller can commit the event,
 * the state, the timers and the decisions in one transaction, and so that a restart between any two calls changes nothing.
 */
import type { CommandName, Delivery, DeviceKind, EventClass, Rule, Severity } from '@siphera/contract';

/** The part of a stored rule that decides what it does. */
export type EngineRule = Pick<
  Rule,
  | 'id'
  | 'org_id'
  | 'site_id'
  | 'version'
  | 'name'
  | 'enabled'
  | 'trigger'
  | 'conditions'
  | 'count'
  | 'cooldown_ms'
  | 'actions'
>;

export type RuleCondition = Rule['conditions'][number];
export type DataCondition = Extract<RuleCondition, { kind: 'data' }>;
export type WeeklyWindow = Extract<RuleCondition, { kind: 'schedule' }>['windows'][number];
export type ArmedState = Extract<RuleCondition, { kind: 'armed' }>['states'][number];
export type RuleScope = Rule['trigger']['scope'];
export type RuleAction = Rule['actions'][number];

/** An area with the way up: `path` starts with its own id and ends with the topmost area. */
export type EngineArea = { id: string; name: string; path: readonly string[] };

export type EngineDevice = {
  id: string;
  name: string;
  kind: DeviceKind;
  tags: readonly string[];
  area: EngineArea | undefined;
};

export type EngineEvent = {
  seq: number;
  type: string;
  class: EventClass;
  /** What consoles call the type, for `{event}`. */
  title: string;
  source: string;
  /** When it happened by the device; receive time when `clock_suspect`. */
  time_ms: number;
  received_ms: number;
  clock_suspect: boolean;
  delivery: Delivery;
  late_ms: number;
  org_id: string;
  /** Undefined for an event of the whole box; it is offered to the rules of every site of its org. */
  site_id: string | undefined;
  device: EngineDevice | undefined;
  /** The device's area, or the one a panel's partition is mapped to. */
  area: EngineArea | undefined;
  data: Readonly<Record<string, unknown>>;
};

/** What the engine may ask while it decides. Answers must come from the same transaction as the event. */
export type EngineContext = {
  now_ms: number;
  /** IANA zone of the site; undefined when the site is not known. */
  timeZone(siteId: string): string | undefined;
  /** `changed_ms` lets a late event see that the state it fell into is no longer known. */
  armed(areaId: string): { state: ArmedState; changed_ms?: number | undefined } | undefined;
  /** The device as it is now; for timers, whose event is long gone. */
  device(deviceId: string): EngineDevice | undefined;
  /** Milliseconds between the two times in which the box itself heard nothing (down, no broker). Absent means none. */
  deafMs?(fromMs: number, toMs: number): number;
};

/**
 * `pending`: counting, or listening for the next arrival. `active`: an absence holds. `clearing`: it acted, and the
 * cooldown keeps it from acting again. `inactive` is the same as no row.
 */
export type ConditionPhase = 'inactive' | 'pending' | 'active' | 'clearing';

/** State of one rule for one key; small JSON, kept by rule id so that a new version goes on with it. */
export type ConditionState = {
  phase: ConditionPhase;
  /** Fingerprint of what the numbers below count; a rule edit that changes it resets the state. */
  meaning: string;
  /** Occurrence times that count, in order of arrival. */
  times?: number[];
  /** When it last acted, by the box's clock; on an absence row only while the cooldown holds it back. */
  last_fired_ms?: number;
  /** Absence: when the box last heard it. */
  heard_ms?: number;
  /** Absence: the condition that keeps a silent device quiet, so that it is traced once and not every minute. */
  held?: string;
  /** From then on the row says nothing any more and may be deleted; null: never. */
  expires_ms: number | null;
};

export type StateReader = { get(ruleId: string, key: string): ConditionState | undefined };
/** `state: null` deletes the row. */
export type StateWrite = { rule_id: string; key: string; state: ConditionState | null };

export type Timer = { id: string; rule_id: string; key: string; due_ms: number };
export type TimerChange = ({ op: 'set' } & Timer) | { op: 'clear'; id: string };

export type IncidentDecision = {
  kind: 'incident';
  title: string;
  severity: Severity;
  /** An open incident of this rule with this key is updated; null: always a new one. */
  group_key: string | null;
  procedure_id: string | null;
  escalation_id: string | null;
};
export type NotifyDecision = {
  kind: 'notify';
  channels: ('console' | 'email' | 'webhook')[];
  user_ids: string[];
  group_ids: string[];
  webhook_ids: string[];
};
export type CommandDecision = {
  kind: 'command';
  device_id: string;
  name: CommandName;
  args: Record<string, unknown>;
};
/** People to ring up for the incident of the same rule, with the text as it is spoken. Never of a test. */
export type CallDecision = {
  kind: 'call';
  user_ids: string[];
  group_ids: string[];
  numbers: string[];
  say: string;
  rounds: number;
  ring_s: number;
};
export type ActionDecision = IncidentDecision | NotifyDecision | CommandDecision | CallDecision;

/** One rule acts once. The caller runs the actions in order, in the transaction of the event. */
export type Decision = {
  rule_id: string;
  rule_name: string;
  rule_version: number;
  org_id: string;
  site_id: string;
  key: string;
  event_seq: number | undefined;
  occurred_ms: number;
  acted_ms: number;
  /** 0 when live. */
  late_ms: number;
  device_id: string | undefined;
  area_id: string | undefined;
  test: boolean;
  actions: ActionDecision[];
};

export type TraceStep = { what: string; passed: boolean | null; detail: string };
export type Trace = {
  rule_id: string;
  rule_name: string;
  rule_version: number;
  at_ms: number;
  outcome: 'fired' | 'near_miss';
  reason: string;
  event_seq: number | undefined;
  key: string;
  steps: TraceStep[];
};

/** Everything one evaluation asks its caller to do. */
export type Outcome = {
  decisions: Decision[];
  writes: StateWrite[];
  timers: TimerChange[];
  traces: Trace[];
  /** Near misses that got no trace because the event had more than `nearMissTracesMax`. */
  near_misses_left_off: number;
};
