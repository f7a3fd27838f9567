/**
 * A rule as a form edits it, and back to what the box takes. What must stay true: a rule that is opened and saved without
 * a change comes out as it went in.
 */
import type { Body, Item } from '#api/client.ts';
import { formatValue, parseValue } from '#features/rules/data-value.ts';

export type Rule = Item<'listRules'>;
export type RuleBody = Body<'putRule'>;
export type Trigger = Rule['trigger'];
export type Condition = Rule['conditions'][number];
export type Action = Rule['actions'][number];
export type DataCondition = Extract<Condition, { kind: 'data' }>;
export type ScheduleCondition = Extract<Condition, { kind: 'schedule' }>;
export type Window = ScheduleCondition['windows'][number];
export type IncidentAction = Extract<Action, { kind: 'incident' }>;
export type NotifyAction = Extract<Action, { kind: 'notify' }>;
export type CommandAction = Extract<Action, { kind: 'command' }>;
export type CallAction = Extract<Action, { kind: 'call' }>;
export type Scope = {
  device_ids: string[];
  area_ids: string[];
  device_kinds: NonNullable<Trigger['scope']['device_kinds']>;
  tags: string;
};
export type DraftTrigger = { kind: Trigger['kind']; types: string[]; scope: Scope; for_ms: number };
export type DraftCondition =
  | { kind: 'data'; path: string; op: DataCondition['op']; value: string }
  | ScheduleCondition
  | Extract<Condition, { kind: 'armed' }>;
export type DraftAction =
  | (Omit<IncidentAction, 'procedure_id' | 'escalation_id'> & { procedure_id: string; escalation_id: string })
  | NotifyAction
  | CommandAction
  | (Omit<CallAction, 'numbers'> & { numbers: string });
export type Count = NonNullable<Rule['count']>;
export type RuleDraft = {
  name: string;
  description: string;
  enabled: boolean;
  trigger: DraftTrigger;
  conditions: DraftCondition[];
  count: Count | null;
  cooldown_ms: number;
  actions: DraftAction[];
};

/** Carried out by cameras alone. */
export const cameraCommands: readonly CommandAction['name'][] = ['record', 'snapshot', 'goto_preset'];

const defaultAbsenceMs = 15 * 60_000;
/** Operators that look only at whether the field is there. */
export const needsValue = (op: DataCondition['op']): boolean => op !== 'exists' && op !== 'absent';

export const emptyDraft = (): RuleDraft => ({
  name: '',
  description: '',
  enabled: true,
  trigger: {
    kind: 'event',
    types: [],
    scope: { device_ids: [], area_ids: [], device_kinds: [], tags: '' },
    for_ms: defaultAbsenceMs,
  },
  conditions: [],
  count: null,
  cooldown_ms: 0,
  actions: [newAction('incident')],
});

export function newCondition(kind: DraftCondition['kind']): DraftCondition {
  if (kind === 'data') return { kind, path: '', op: 'eq', value: '' };
  if (kind === 'armed') return { kind, states: ['armed'] };
  return { kind, when: 'inside', windows: [{ days: [1, 2, 3, 4, 5], from: '18:00', to: '06:00' }] };
}

export function newAction(kind: DraftAction['kind']): DraftAction {
  if (kind === 'incident') {
    const title = '{event}: {device}, {area}';
    return { kind, title, severity: 'high', group_by: 'device', procedure_id: '', escalation_id: '' };
  }
  if (kind === 'notify') return { kind, channels: ['console'], user_ids: [], group_ids: [], webhook_ids: [] };
  if (kind === 'call') {
    const say = '{event}: {device}, {area}';
    return { kind, user_ids: [], group_ids: [], numbers: '', say, rounds: 2, ring_s: 30 };
  }
  return { kind, target: 'trigger', name: 'lock', args: {} };
}

export function toDraft(rule: Omit<RuleBody, 'expected_version'> & { trigger: Trigger }): RuleDraft {
  const { scope } = rule.trigger;
  return {
    name: rule.name,
    description: rule.description ?? '',
    enabled: rule.enabled ?? true,
    trigger: {
      kind: rule.trigger.kind,
      types: [...rule.trigger.types],
      scope: {
        device_ids: [...(scope.device_ids ?? [])],
        area_ids: [...(scope.area_ids ?? [])],
        device_kinds: [...(scope.device_kinds ?? [])],
        tags: (scope.tags ?? []).join(' '),
      },
      for_ms: rule.trigger.kind === 'absence' ? rule.trigger.for_ms : defaultAbsenceMs,
    },
    conditions: structuredClone(rule.conditions ?? []).map((one) =>
      one.kind === 'data' ? { kind: 'data', path: one.path, op: one.op, value: formatValue(one.value) } : one,
    ),
    count: rule.count ? { ...rule.count } : null,
    cooldown_ms: rule.cooldown_ms ?? 0,
    actions: (structuredClone(rule.actions) as Action[]).map(toDraftAction),
  };
}

function toDraftAction(action: Action): DraftAction {
  if (action.kind === 'incident')
    return {
      ...action,
      procedure_id: action.procedure_id ?? '',
      escalation_id: action.escalation_id ?? '',
    };
  return action.kind === 'call' ? { ...action, numbers: action.numbers.join(', ') } : action;
}

export function toBody(draft: RuleDraft): RuleBody {
  return {
    name: draft.name.trim(),
    description: draft.description.trim(),
    enabled: draft.enabled,
    trigger: toTrigger(draft.trigger),
    conditions: draft.conditions.map(toCondition),
    count: draft.count,
    cooldown_ms: draft.cooldown_ms,
    actions: draft.actions.map(toAction),
  };
}

function toTrigger(draft: DraftTrigger): Trigger {
  const { device_ids, area_ids, device_kinds } = draft.scope;
  const tags = draft.scope.tags
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((tag) => tag !== '');
  // An empty list does not narrow; leaving it out says so more plainly to whoever reads the rule.
  const scope = {
    ...(device_ids.length > 0 ? { device_ids } : {}),
    ...(area_ids.length > 0 ? { area_ids } : {}),
    ...(device_kinds.length > 0 ? { device_kinds } : {}),
    ...(tags.length > 0 ? { tags } : {}),
  };
  return draft.kind === 'event'
    ? { kind: 'event', types: draft.types, scope }
    : { kind: 'absence', types: draft.types, scope, for_ms: draft.for_ms };
}

function toCondition(draft: DraftCondition): Condition {
  if (draft.kind !== 'data') return draft;
  const { path, op } = draft;
  return {
    kind: 'data',
    path: path.trim(),
    op,
    ...(needsValue(op) ? { value: parseValue(draft.value, op) } : {}),
  };
}

/** Numbers are written with spaces, dashes and brackets; commas part them. */
const toNumbers = (text: string): string[] =>
  text
    .split(/[,;\n]/)
    .map((number) => number.replaceAll(/[\s()/.-]/g, ''))
    .filter((number) => number !== '');

function toAction(draft: DraftAction): Action {
  if (draft.kind === 'call') return { ...draft, say: draft.say.trim(), numbers: toNumbers(draft.numbers) };
  if (draft.kind !== 'incident') return draft;
  return { ...draft, procedure_id: draft.procedure_id || null, escalation_id: draft.escalation_id || null };
}
