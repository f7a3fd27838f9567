/** Every read use case by name: what the HTTP thread may ask a reader. */
import { auditReads } from './audit/audit-reads.ts';
import { eventReads } from './events/event-reads.ts';
import { identityReads } from './identity/identity-reads.ts';
import { peopleReads } from './identity/people-reads.ts';
import { incidentReads } from './incidents/incident-reads.ts';
import { notifyReads } from './notify/notify-reads.ts';
import { registryReads } from './registry/registry-reads.ts';
import { ruleReads } from './rules/rule-reads.ts';
import { systemReads } from './system/system-reads.ts';

export const readCases = {
  ...auditReads,
  ...identityReads,
  ...peopleReads,
  ...registryReads,
  ...eventReads,
  ...ruleReads,
  ...incidentReads,
  ...notifyReads,
  ...systemReads,
};
export type ReadCases = typeof readCases;
