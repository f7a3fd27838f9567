/** Every write use case by name: what the HTTP thread may ask the writer to do. */
import { createEventWrites } from './events/event-writes.ts';
import { createIdentityWrites } from './identity/identity-writes.ts';
import { createIncidentWrites } from './incidents/incident-writes.ts';
import { createNotifyWrites } from './notify/notify-writes.ts';
import { createRegistryWrites } from './registry/registry-writes.ts';
import { createRuleWrites } from './rules/rule-writes.ts';
import { createSystemWrites } from './system/system-writes.ts';
import type { WriterDeps } from './writer-deps.ts';

export const createWriteCases = (deps: WriterDeps) => ({
  ...createIdentityWrites(deps),
  ...createRegistryWrites(deps),
  ...createEventWrites(deps),
  ...createRuleWrites(deps),
  ...createIncidentWrites(deps),
  ...createNotifyWrites(),
  ...createSystemWrites(deps),
});
export type WriteCases = ReturnType<typeof createWriteCases>;
