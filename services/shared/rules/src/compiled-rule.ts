/** One rule made ready: its tests as closures, the keys it is kept by, and the fingerprint of what its state means. */
import { eventClasses, eventTypes } from '@siphera/contract/base';
import { compileConditions, type CompiledConditions } from './conditions.ts';
import type { KeyKind } from './occurrence.ts';
import { compileScope, scopeFields, type ScopeField, type ScopeTest } from './scope.ts';
import type { EngineRule } from './types.ts';

export type CompiledRule = {
  rule: EngineRule;
  /** The field the index files this rule under; undefined: it looks at everything of its types. */
  narrowing: { field: ScopeField; keys: readonly string[] } | undefined;
  /** Tests what the index has not matched. */
  restOfScope: ScopeTest;
  /** Tests the whole scope; for timers, which come without the index. */
  wholeScope: ScopeTest;
  conditions: CompiledConditions;
  keyKind: KeyKind;
  stateful: boolean;
  meaning: string;
  /** How old an event of this rule's types may be and still count; bounds what a count remembers. */
  lookBackMs: number;
};

export function compileRule(rule: EngineRule): CompiledRule {
  const fields = scopeFields(rule.trigger.scope);
  return {
    rule,
    narrowing: fields[0],
    restOfScope: compileScope(fields.slice(1)),
    wholeScope: compileScope(fields),
    conditions: compileConditions(rule.conditions, rule.site_id),
    keyKind: keyKindOf(rule),
    stateful: rule.count !== null || rule.cooldown_ms > 0,
    meaning: meaningOf(rule),
    lookBackMs: lookBackMsOf(rule),
  };
}

/** Counts say what they are kept by; otherwise the cooldown goes with the incident's grouping. */
function keyKindOf(rule: EngineRule): KeyKind {
  if (rule.count) return rule.count.per;
  const incident = rule.actions.find((action) => action.kind === 'incident');
  return incident?.group_by === 'area' || incident?.group_by === 'rule' ? incident.group_by : 'device';
}

/**
 * What the kept numbers are numbers of. Thresholds, windows, hours and scope are left out on purpose: changing those
 * goes on with what was counted. Changing what is counted, or per what, starts anew.
 */
function meaningOf(rule: EngineRule): string {
  const types = rule.trigger.types.toSorted().join(',');
  return `${rule.trigger.kind}:${types}:${rule.count?.per ?? '-'}`;
}

/** Counts look back no further than a day, however late events of a class may still fire. */
const lookBackMsMax = 86_400_000;

function lookBackMsOf(rule: EngineRule): number {
  if (rule.trigger.kind === 'absence') return 0;
  const ages = rule.trigger.types.map((type) => {
    const definition = Object.hasOwn(eventTypes, type) ? eventTypes[type] : undefined;
    return (definition && eventClasses[definition.class].late_ms_max) ?? lookBackMsMax;
  });
  return Math.min(Math.max(...ages), lookBackMsMax);
}
