/**
 * Appends to the audit log. Each row's hash covers the row and the hash before it, so that a row that is changed,
 * dropped or slipped in breaks the chain from there on.
 */
import { hash } from 'node:crypto';
import type { Actor } from '../../kernel/actor.ts';
import type { Tx } from '../../kernel/transaction.ts';

export type AuditInput = {
  actor: Pick<Actor, 'kind' | 'id' | 'name' | 'orgId' | 'address'>;
  /** Dotted verb, e.g. `incident.acknowledged`. */
  action: string;
  /** What it was done to, e.g. `incident:<id>`. */
  target: string;
  /** Never secrets, PINs or badge ids. */
  detail?: Record<string, unknown>;
};

export type AuditHashed = {
  seq: number;
  id: string;
  org_id: string;
  at_ms: number;
  actor_kind: string;
  actor_id: string;
  actor_name: string;
  action: string;
  target: string;
  address: string;
  detail: string;
};

export const genesisHash = '0'.repeat(64);

/** SHA-256 of the hash before and the row's columns in this fixed order, as JSON. */
export function auditHash(previous: string, row: AuditHashed): string {
  const { seq, id, org_id, at_ms, actor_kind, actor_id, actor_name, action, target, address, detail } = row;
  const text = JSON.stringify([
    previous,
    seq,
    id,
    org_id,
    at_ms,
    actor_kind,
    actor_id,
    actor_name,
    action,
    target,
    address,
    detail,
  ]);
  return hash('sha256', text, 'hex');
}

export function appendAudit(tx: Tx, input: AuditInput): void {
  const last = tx.db
    .prepare<[], { seq: number; hash: string }>('SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1')
    .get();
  const row: AuditHashed = {
    seq: (last?.seq ?? 0) + 1,
    id: tx.random.uuid(),
    org_id: input.actor.orgId,
    at_ms: tx.nowMs,
    actor_kind: input.actor.kind === 'rule' ? 'system' : input.actor.kind,
    actor_id: input.actor.id,
    actor_name: input.actor.name,
    action: input.action,
    target: input.target,
    address: input.actor.address,
    detail: JSON.stringify(input.detail ?? {}),
  };
  tx.db
    .prepare(
      `INSERT INTO audit (seq, id, org_id, at_ms, actor_kind, actor_id, actor_name, action, target, address, detail, hash)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      row.seq,
      row.id,
      row.org_id,
      row.at_ms,
      row.actor_kind,
      row.actor_id,
      row.actor_name,
      row.action,
      row.target,
      row.address,
      row.detail,
      auditHash(last?.hash ?? genesisHash, row),
    );
}
