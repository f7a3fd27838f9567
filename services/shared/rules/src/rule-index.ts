/**
 * Rules filed by event type, site and narrowest scope field, so that an event meets only rules that look at its device,
 * area, tag or kind. Sets are immutable: a change gives a new set that shares what did not change.
 */
import { compileRule, type CompiledRule } from './compiled-rule.ts';
import type { ScopeField } from './scope.ts';
import type { EngineEvent, EngineRule } from './types.ts';

/** Opaque to callers but for `size` and `has`. */
export type RuleSet = {
  readonly size: number;
  readonly rules: ReadonlyMap<string, CompiledRule>;
  readonly index: ReadonlyMap<string, TypeIndex>;
};

/** Compiles all rules at once; disabled ones are kept but never matched. */
export function compileRules(rules: Iterable<EngineRule>): RuleSet {
  const compiled = new Map<string, CompiledRule>();
  for (const rule of rules) compiled.set(rule.id, compileRule(rule));
  const byType = new Map<string, CompiledRule[]>();
  for (const one of compiled.values()) {
    for (const type of new Set(one.rule.trigger.types)) listIn(byType, type).push(one);
  }
  const index = new Map<string, TypeIndex>();
  for (const [type, list] of byType) index.set(type, indexType(list));
  return { size: compiled.size, rules: compiled, index };
}

/** The set with this rule added, or put in place of its earlier version. */
export function withRule(set: RuleSet, rule: EngineRule): RuleSet {
  const rules = new Map(set.rules);
  rules.set(rule.id, compileRule(rule));
  const before = set.rules.get(rule.id)?.rule.trigger.types ?? [];
  return reindex(set, rules, [...before, ...rule.trigger.types]);
}

export function withoutRule(set: RuleSet, ruleId: string): RuleSet {
  const old = set.rules.get(ruleId);
  if (!old) return set;
  const rules = new Map(set.rules);
  rules.delete(ruleId);
  return reindex(set, rules, old.rule.trigger.types);
}

/** Calls `visit` once for each enabled rule whose trigger matches the event's type, org, site and scope. */
export function visitMatches(set: RuleSet, event: EngineEvent, visit: (rule: CompiledRule) => void): void {
  const sites = set.index.get(event.type)?.sites;
  if (!sites) return;
  if (event.site_id !== undefined) {
    const buckets = sites.get(event.site_id);
    if (buckets) visitBuckets(buckets, event, visit);
    return;
  }
  for (const buckets of sites.values()) visitBuckets(buckets, event, visit);
}

type Buckets = Record<ScopeField, Map<string, CompiledRule[]>> & { any: CompiledRule[] };
type TypeIndex = { sites: Map<string, Buckets> };

function indexType(list: CompiledRule[]): TypeIndex {
  const sites = new Map<string, Buckets>();
  for (const one of list) {
    if (!one.rule.enabled) continue;
    const buckets = sites.get(one.rule.site_id) ?? emptyBuckets();
    sites.set(one.rule.site_id, buckets);
    if (!one.narrowing) buckets.any.push(one);
    else for (const key of new Set(one.narrowing.keys)) listIn(buckets[one.narrowing.field], key).push(one);
  }
  return { sites };
}

function reindex(set: RuleSet, rules: Map<string, CompiledRule>, types: readonly string[]): RuleSet {
  const index = new Map(set.index);
  for (const type of new Set(types)) {
    const list: CompiledRule[] = [];
    for (const one of rules.values()) if (one.rule.trigger.types.includes(type)) list.push(one);
    if (list.length > 0) index.set(type, indexType(list));
    else index.delete(type);
  }
  return { size: rules.size, rules, index };
}

function visitBuckets(buckets: Buckets, event: EngineEvent, visit: (rule: CompiledRule) => void): void {
  const { device } = event;
  const area = event.area ?? device?.area;
  const offer = (one: CompiledRule): void => {
    if (one.rule.org_id === event.org_id && one.restOfScope(device, area)) visit(one);
  };
  if (device) {
    buckets.device.get(device.id)?.forEach(offer);
    buckets.kind.get(device.kind)?.forEach(offer);
    if (buckets.tag.size > 0) visitKeys(buckets.tag, device.tags, offer);
  }
  if (area && buckets.area.size > 0) visitKeys(buckets.area, area.path, offer);
  for (const one of buckets.any) offer(one);
}

/** A rule may be filed under two of the keys (an area and the one above it); it is offered once. */
function visitKeys(
  filed: Map<string, CompiledRule[]>,
  keys: readonly string[],
  offer: (one: CompiledRule) => void,
): void {
  const found = keys.map((key) => filed.get(key)).filter((list) => list !== undefined);
  if (found.length === 1) found[0]?.forEach(offer);
  else if (found.length > 1) new Set(found.flat()).forEach(offer);
}

function emptyBuckets(): Buckets {
  return { device: new Map(), area: new Map(), tag: new Map(), kind: new Map(), any: [] };
}

function listIn(map: Map<string, CompiledRule[]>, key: string): CompiledRule[] {
  const list = map.get(key) ?? [];
  map.set(key, list);
  return list;
}
