/** Which devices a rule looks at. Fields narrow together (and); the entries of one field are alternatives (or). */
import type { EngineArea, EngineDevice, RuleScope } from './types.ts';

export type ScopeField = 'device' | 'area' | 'tag' | 'kind';
export type ScopeTest = (device: EngineDevice | undefined, area: EngineArea | undefined) => boolean;

/** The narrowing fields of a scope with their entries, narrowest first. */
export function scopeFields(scope: RuleScope): { field: ScopeField; keys: readonly string[] }[] {
  const fields: { field: ScopeField; keys: readonly string[] }[] = [
    { field: 'device', keys: scope.device_ids ?? [] },
    { field: 'area', keys: scope.area_ids ?? [] },
    { field: 'tag', keys: scope.tags ?? [] },
    { field: 'kind', keys: scope.device_kinds ?? [] },
  ];
  return fields.filter(({ keys }) => keys.length > 0);
}

/** Compiles the fields that the index did not already match. */
export function compileScope(fields: readonly { field: ScopeField; keys: readonly string[] }[]): ScopeTest {
  const tests = fields.map(({ field, keys }) => compileField(field, new Set(keys)));
  if (tests.length === 0) return () => true;
  return (device, area) => tests.every((test) => test(device, area));
}

function compileField(field: ScopeField, keys: ReadonlySet<string>): ScopeTest {
  switch (field) {
    case 'device':
      return (device) => device !== undefined && keys.has(device.id);
    case 'area':
      return (_device, area) => area !== undefined && area.path.some((id) => keys.has(id));
    case 'tag':
      return (device) => device !== undefined && device.tags.some((tag) => keys.has(tag));
    case 'kind':
      return (device) => device !== undefined && keys.has(device.kind);
  }
}
