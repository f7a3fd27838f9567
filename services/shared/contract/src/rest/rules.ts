/** Rules, their versions, and the traces that say why one did or did not fire. */
import { z } from 'zod';
import { CommandName } from '../mqtt.ts';
import {
  ById,
  DeviceKind,
  FeedSeq,
  Name,
  PageQuery,
  page,
  Severity,
  Tag,
  Text,
  Timestamp,
  Uuid,
} from '../primitives.ts';
import { Dialled } from './phone.ts';
import { ArmedState } from './registry.ts';
import { defineRoutes } from './route.ts';

const Ids = z.array(Uuid).max(500);
/** Which devices a rule looks at; an empty or absent list does not narrow. `area_ids` includes the areas below. */
export const RuleScope = z.object({
  device_ids: Ids.optional(),
  area_ids: Ids.optional(),
  device_kinds: z.array(DeviceKind).optional(),
  tags: z.array(Tag).max(20).optional(),
});
export const EventTrigger = z.object({
  kind: z.literal('event'),
  types: z.array(z.string().max(80)).min(1).max(40),
  scope: RuleScope.default({}),
});
/** Fires when none of the types came from a device of the scope for `for_ms`. Needs one arrival first. */
export const AbsenceTrigger = z.object({
  kind: z.literal('absence'),
  types: z.array(z.string().max(80)).min(1).max(40),
  scope: RuleScope.default({}),
  for_ms: z
    .int()
    .min(1_000)
    .max(7 * 86_400_000),
});
export const RuleTrigger = z.discriminatedUnion('kind', [EventTrigger, AbsenceTrigger]);

const scalar = z.union([z.string().max(500), z.number(), z.boolean(), z.null()]);
export const DataCondition = z.object({
  kind: z.literal('data'),
  path: z
    .string()
    .regex(/^[A-Za-z_][\w-]*(\.[\w-]+){0,5}$/)
    .meta({ description: 'Inside the event data, dotted' }),
  op: z.enum(['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'contains', 'exists', 'absent']),
  value: z.union([scalar, z.array(scalar).max(100)]).optional(),
});
/** Days 1–7 are Monday–Sunday in the site's time zone; `to` at or before `from` passes midnight. */
export const WeeklyWindow = z.object({
  days: z.array(z.int().min(1).max(7)).min(1).max(7),
  from: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/),
  to: z.string().regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/),
});
export const ScheduleCondition = z.object({
  kind: z.literal('schedule'),
  when: z.enum(['inside', 'outside']),
  windows: z.array(WeeklyWindow).min(1).max(50),
});
export const ArmedCondition = z.object({ kind: z.literal('armed'), states: z.array(ArmedState).min(1) });
export const RuleCondition = z.discriminatedUnion('kind', [DataCondition, ScheduleCondition, ArmedCondition]);

/** n times within t, counted per device, per area or over the whole rule. */
export const RuleCount = z.object({
  times: z.int().min(2).max(1_000),
  within_ms: z.int().min(1_000).max(86_400_000),
  per: z.enum(['device', 'area', 'rule']),
});

export const IncidentAction = z.object({
  kind: z.literal('incident'),
  title: z.string().min(1).max(200).meta({ description: 'May hold {device}, {area}, {event} and {data.x}' }),
  severity: Severity,
  /** An open incident of this rule with the same key is updated instead of a second one being opened. */
  group_by: z.enum(['device', 'area', 'rule', 'none']).default('device'),
  procedure_id: Uuid.nullable().default(null),
  escalation_id: Uuid.nullable().default(null),
});
export const NotifyAction = z.object({
  kind: z.literal('notify'),
  channels: z.array(z.enum(['console', 'email', 'webhook'])).min(1),
  user_ids: Ids.default([]),
  group_ids: Ids.default([]),
  webhook_ids: Ids.default([]),
});
export const CommandAction = z.object({
  kind: z.literal('command'),
  target: z
    .union([z.literal('trigger'), Uuid])
    .meta({ description: 'The device that triggered, or a fixed one' }),
  name: CommandName,
  args: z.record(z.string(), z.unknown()).default({}),
});
/** Rings people by phone, speaks the alarm, takes a key to acknowledge; needs an `incident` action in the same rule. */
export const CallAction = z.object({
  kind: z.literal('call'),
  user_ids: Ids.max(20).default([]),
  group_ids: Ids.max(20).default([]),
  /** Of the house or outside, in the order of calling: first the users, then the groups, then these. */
  numbers: z.array(Dialled).max(20).default([]),
  say: z.string().min(1).max(300).meta({ description: 'May hold {device}, {area}, {event} and {data.x}' }),
  rounds: z.int().min(1).max(5).default(2),
  ring_s: z.int().min(10).max(120).default(30),
});
export const RuleAction = z.discriminatedUnion('kind', [
  IncidentAction,
  NotifyAction,
  CommandAction,
  CallAction,
]);

export const RuleInput = z.object({
  name: Name,
  description: Text.max(1_000).default(''),
  enabled: z.boolean().default(true),
  trigger: RuleTrigger,
  conditions: z.array(RuleCondition).max(20).default([]),
  count: RuleCount.nullable().default(null),
  /** The same key does not fire again for this long. */
  cooldown_ms: z.int().min(0).max(86_400_000).default(0),
  actions: z.array(RuleAction).min(1).max(10),
});
export type RuleInput = z.infer<typeof RuleInput>;
export const Rule = RuleInput.extend({
  id: Uuid,
  org_id: Uuid,
  site_id: Uuid,
  version: z.int(),
  builtin: z.string().nullable().meta({ description: 'Name of the ready rule it came from' }),
  updated_at: Timestamp,
  updated_by: z.string(),
  last_fired_at: Timestamp.optional(),
  fired_count: z.int(),
});
export type Rule = z.infer<typeof Rule>;
export const RuleTrace = z.object({
  id: Uuid,
  rule_id: Uuid,
  rule_name: z.string(),
  rule_version: z.int(),
  at: Timestamp,
  outcome: z.enum(['fired', 'near_miss']),
  /** Why it did not act, in words a guard understands; empty when it fired. */
  reason: z.string(),
  event_seq: FeedSeq.optional(),
  incident_id: Uuid.optional(),
  key: z.string(),
  steps: z.array(z.object({ what: z.string(), passed: z.boolean().nullable(), detail: z.string() })),
});
export type RuleTrace = z.infer<typeof RuleTrace>;

const core = { service: 'core', tag: 'rules' } as const;

export const rulesRoutes = defineRoutes({
  listRules: {
    ...core,
    method: 'get',
    path: '/rules',
    access: 'rule.read',
    summary: 'Rules',
    response: z.object({ items: z.array(Rule), feed_seq: FeedSeq }),
  },
  createRule: {
    ...core,
    method: 'post',
    path: '/rules',
    access: 'rule.write',
    summary: 'Add a rule',
    body: RuleInput.extend({ site_id: Uuid.optional() }),
    response: Rule,
    status: 201,
  },
  getRule: {
    ...core,
    method: 'get',
    path: '/rules/{id}',
    access: 'rule.read',
    summary: 'One rule',
    params: ById,
    response: Rule,
  },
  putRule: {
    ...core,
    method: 'put',
    path: '/rules/{id}',
    access: 'rule.write',
    summary: 'Save a rule as a new version; running timers and counts are kept',
    params: ById,
    body: RuleInput.extend({ expected_version: z.int().optional() }),
    response: Rule,
  },
  deleteRule: {
    ...core,
    method: 'delete',
    path: '/rules/{id}',
    access: 'rule.write',
    summary: 'Remove a rule; its versions and traces stay',
    params: ById,
    status: 204,
  },
  listRuleVersions: {
    ...core,
    method: 'get',
    path: '/rules/{id}/versions',
    access: 'rule.read',
    summary: 'Every version, newest first',
    params: ById,
    response: z.object({ items: z.array(Rule) }),
  },
  listRuleTraces: {
    ...core,
    method: 'get',
    path: '/rule-traces',
    access: 'rule.read',
    summary: 'Why rules did and did not fire',
    query: PageQuery.extend({
      rule_id: Uuid.optional(),
      outcome: z.enum(['fired', 'near_miss']).optional(),
      event_seq: z.coerce.number().int().optional(),
    }),
    response: page(RuleTrace),
  },
});
