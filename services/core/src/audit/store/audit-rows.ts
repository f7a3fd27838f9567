/** Audit rows and how the wire shows them. */
import type { AuditRow as AuditWire } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime/base';
import type { z } from 'zod';
import type { AuditHashed } from './audit-append.store.ts';

export type AuditRow = AuditHashed & { hash: string };

export const toAuditRow = (row: AuditRow): z.infer<typeof AuditWire> => ({
  seq: row.seq,
  id: row.id,
  org_id: row.org_id,
  at: toRfc3339(row.at_ms),
  actor: {
    kind: row.actor_kind as z.infer<typeof AuditWire>['actor']['kind'],
    id: row.actor_id,
    name: row.actor_name,
  },
  action: row.action,
  target: row.target,
  address: row.address,
  detail: JSON.parse(row.detail) as Record<string, unknown>,
  hash: row.hash,
});
