/** Writing notification settings, webhooks, escalations; and what became of a delivery. */
import type { Escalation, WebhookInput } from '@siphera/contract';
import { AppError } from '@siphera/runtime/base';
import type { z } from 'zod';
import { appendAudit } from '../audit/store/audit-append.store.ts';
import { authorise, orgScope } from '../kernel/access.ts';
import type { WriteContext } from '../kernel/transaction.ts';
import { addTimeline } from '../incidents/store/timeline.store.ts';
import {
  toEscalation,
  toWebhook,
  type EscalationRow,
  type StoredSmtp,
  type WebhookRow,
} from './store/notify-rows.ts';
import { readSmtp } from './notify-reads.ts';
import { pushWrites } from './push-writes.ts';

type EscalationFields = Omit<z.infer<typeof Escalation>, 'id' | 'org_id' | 'updated_at'>;
export type DeliveryResult = { id: string; ok: boolean; error?: string | undefined; next_ms: number | null };

const manage = ({ actor }: WriteContext): void => authorise(actor, 'notify.manage', orgScope(actor.orgId));
const note = (
  context: WriteContext,
  action: string,
  target: string,
  detail: Record<string, unknown> = {},
): void => appendAudit(context, { actor: context.actor, action, target, detail });

function readWebhook(context: WriteContext, id: string): WebhookRow {
  const row = context.db
    .prepare<[string, string], WebhookRow>('SELECT * FROM webhooks WHERE id = ? AND org_id = ?')
    .get(id, context.actor.orgId);
  if (!row) throw new AppError('not_found', 'There is no such webhook.');
  return row;
}

function saveEscalation(
  context: WriteContext,
  id: string,
  input: EscalationFields,
): z.infer<typeof Escalation> {
  if (input.default)
    context.db.prepare('UPDATE escalations SET is_default = 0 WHERE org_id = ?').run(context.actor.orgId);
  context.db
    .prepare(
      `INSERT INTO escalations (id, org_id, name, severity_min, steps, is_default, updated_ms) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET name = excluded.name, severity_min = excluded.severity_min, steps = excluded.steps, is_default = excluded.is_default, updated_ms = excluded.updated_ms`,
    )
    .run(
      id,
      context.actor.orgId,
      input.name,
      input.severity_min,
      JSON.stringify(input.steps),
      input.default ? 1 : 0,
      context.nowMs,
    );
  note(context, 'escalation.saved', `escalation:${id}`, { name: input.name });
  return toEscalation(
    context.db
      .prepare<[string], EscalationRow>('SELECT * FROM escalations WHERE id = ?')
      .get(id) as EscalationRow,
  );
}

export const createNotifyWrites = () => ({
  ...pushWrites,

  /** `sealed_password` undefined keeps the old one. */
  putSmtp: (
    context: WriteContext,
    input: { settings: Omit<StoredSmtp, 'password'>; sealed_password?: string | undefined },
  ): void => {
    manage(context);
    const password = input.sealed_password ?? readSmtp(context.db, context.actor.orgId).password;
    const value: StoredSmtp = { ...input.settings, password };
    context.db
      .prepare(
        `INSERT INTO settings (org_id, name, value, updated_ms) VALUES (?, 'smtp', ?, ?) ON CONFLICT (org_id, name) DO UPDATE SET value = excluded.value, updated_ms = excluded.updated_ms`,
      )
      .run(context.actor.orgId, JSON.stringify(value), context.nowMs);
    note(context, 'smtp.updated', `org:${context.actor.orgId}`, { host: value.host, enabled: value.enabled });
  },

  createWebhook: (context: WriteContext, input: z.infer<typeof WebhookInput> & { sealed_secret: string }) => {
    manage(context);
    const id = context.random.uuid();
    context.db
      .prepare(
        'INSERT INTO webhooks (id, org_id, name, url, secret, kinds, severity_min, active, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .run(
        id,
        context.actor.orgId,
        input.name,
        input.url,
        input.sealed_secret,
        JSON.stringify(input.kinds),
        input.severity_min,
        input.active ? 1 : 0,
        context.nowMs,
      );
    note(context, 'webhook.created', `webhook:${id}`, { name: input.name });
    return toWebhook(readWebhook(context, id));
  },

  updateWebhook: (
    context: WriteContext,
    input: { id: string } & {
      [K in keyof z.infer<typeof WebhookInput>]?: z.infer<typeof WebhookInput>[K] | undefined;
    },
  ) => {
    manage(context);
    const row = readWebhook(context, input.id);
    context.db
      .prepare('UPDATE webhooks SET name = ?, url = ?, kinds = ?, severity_min = ?, active = ? WHERE id = ?')
      .run(
        input.name ?? row.name,
        input.url ?? row.url,
        input.kinds ? JSON.stringify(input.kinds) : row.kinds,
        input.severity_min ?? row.severity_min,
        (input.active ?? row.active === 1) ? 1 : 0,
        row.id,
      );
    note(context, 'webhook.updated', `webhook:${row.id}`, { name: input.name ?? row.name });
    return toWebhook(readWebhook(context, row.id));
  },

  deleteWebhook: (context: WriteContext, input: { id: string }): void => {
    manage(context);
    const row = readWebhook(context, input.id);
    context.db
      .prepare(
        `UPDATE outbox SET state = 'gave_up', last_error = 'The webhook was removed.' WHERE target = ? AND state = 'pending'`,
      )
      .run(row.id);
    context.db.prepare('DELETE FROM webhooks WHERE id = ?').run(row.id);
    note(context, 'webhook.deleted', `webhook:${row.id}`, { name: row.name });
  },

  createEscalation: (context: WriteContext, input: EscalationFields) => {
    manage(context);
    return saveEscalation(context, context.random.uuid(), input);
  },

  putEscalation: (context: WriteContext, input: EscalationFields & { id: string }) => {
    manage(context);
    const known = context.db
      .prepare('SELECT 1 FROM escalations WHERE id = ? AND org_id = ?')
      .get(input.id, context.actor.orgId);
    if (known === undefined) throw new AppError('not_found', 'There is no such escalation plan.');
    return saveEscalation(context, input.id, input);
  },

  deleteEscalation: (context: WriteContext, input: { id: string }): void => {
    manage(context);
    const gone = context.db
      .prepare('DELETE FROM escalations WHERE id = ? AND org_id = ?')
      .run(input.id, context.actor.orgId);
    if (gone.changes === 0) throw new AppError('not_found', 'There is no such escalation plan.');
    note(context, 'escalation.deleted', `escalation:${input.id}`);
  },

  /** From the sender, which is part of core. */
  recordDeliveries: (context: WriteContext, input: { results: readonly DeliveryResult[] }): void => {
    if (context.actor.kind !== 'system')
      throw new AppError('forbidden', 'Only the box itself records deliveries.');
    for (const result of input.results) recordDelivery(context, result);
  },
});

type Sent = {
  id: string;
  channel: string;
  target: string;
  subject: string;
  state: string;
  incident_id: string | null;
  critical: number;
  attempts: number;
};

function recordDelivery(context: WriteContext, result: DeliveryResult): void {
  const row = context.db
    .prepare<[string], Sent>(
      'SELECT id, channel, target, subject, state, incident_id, critical, attempts FROM outbox WHERE id = ?',
    )
    .get(result.id);
  // Ended while it was under way (its webhook was removed): it stays ended.
  if (row?.state !== 'pending') return;
  const state = result.ok ? 'delivered' : result.next_ms === null ? 'gave_up' : 'pending';
  context.db
    .prepare(
      'UPDATE outbox SET state = ?, attempts = attempts + 1, delivered_ms = ?, last_error = ?, next_ms = ? WHERE id = ?',
    )
    .run(
      state,
      result.ok ? context.nowMs : null,
      result.error?.slice(0, 500) ?? null,
      result.next_ms ?? context.nowMs,
      row.id,
    );
  if (row.channel === 'webhook') {
    const sql = result.ok
      ? 'UPDATE webhooks SET last_success_ms = ?, last_error = NULL, failing_since_ms = NULL WHERE id = ?'
      : 'UPDATE webhooks SET failing_since_ms = coalesce(failing_since_ms, ?), last_error = ? WHERE id = ?';
    context.db
      .prepare(sql)
      .run(
        ...(result.ok
          ? [context.nowMs, row.target]
          : [context.nowMs, result.error?.slice(0, 500) ?? '', row.target]),
      );
  }
  // The first failure of what matters, and giving up, belong on the timeline; each retry does not.
  if (row.incident_id === null || result.ok || (state === 'pending' && row.attempts > 0)) return;
  const text =
    state === 'gave_up'
      ? `Gave up sending by ${row.channel}: ${result.error ?? ''}`
      : `Could not send by ${row.channel} yet, goes on trying: ${result.error ?? ''}`;
  addTimeline(context, {
    incidentId: row.incident_id,
    kind: 'notification',
    actor: { kind: 'system', id: 'notify', name: 'Siphera' },
    text: text.slice(0, 400),
    data: { delivery_id: row.id },
    traceId: context.traceId,
  });
}
