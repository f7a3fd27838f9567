/** Webhook, escalation and outbox rows, and how the wire shows them. */
import type { Escalation, NotificationDelivery, Severity, SmtpSettings, Webhook } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime/base';
import type { z } from 'zod';

export type WebhookRow = {
  id: string;
  org_id: string;
  name: string;
  url: string;
  secret: string;
  kinds: string;
  severity_min: Severity;
  active: number;
  created_ms: number;
  last_success_ms: number | null;
  last_error: string | null;
  failing_since_ms: number | null;
};
export type EscalationRow = {
  id: string;
  org_id: string;
  name: string;
  severity_min: Severity;
  steps: string;
  is_default: number;
  updated_ms: number;
};
export type OutboxRow = {
  id: string;
  org_id: string;
  channel: 'email' | 'webhook';
  target: string;
  target_name: string | null;
  subject: string;
  body: string;
  critical: number;
  state: 'pending' | 'delivered' | 'gave_up';
  attempts: number;
  created_ms: number;
  next_ms: number;
  delivered_ms: number | null;
  last_error: string | null;
  incident_id: string | null;
};
/** As stored; the password is sealed. */
export type StoredSmtp = Omit<z.infer<typeof SmtpSettings>, 'password_set'> & { password: string | null };

export const toWebhook = (row: WebhookRow): z.infer<typeof Webhook> => ({
  id: row.id,
  org_id: row.org_id,
  name: row.name,
  url: row.url,
  kinds: JSON.parse(row.kinds) as Array<'incident'>,
  severity_min: row.severity_min,
  active: row.active === 1,
  created_at: toRfc3339(row.created_ms),
  ...(row.last_success_ms === null ? {} : { last_success_at: toRfc3339(row.last_success_ms) }),
  ...(row.last_error === null ? {} : { last_error: row.last_error }),
  ...(row.failing_since_ms === null ? {} : { failing_since: toRfc3339(row.failing_since_ms) }),
});

export const toEscalation = (row: EscalationRow): z.infer<typeof Escalation> => ({
  id: row.id,
  org_id: row.org_id,
  name: row.name,
  severity_min: row.severity_min,
  steps: JSON.parse(row.steps) as z.infer<typeof Escalation>['steps'],
  default: row.is_default === 1,
  updated_at: toRfc3339(row.updated_ms),
});

export const toDelivery = (row: OutboxRow): z.infer<typeof NotificationDelivery> => ({
  id: row.id,
  channel: row.channel,
  target: row.target_name ?? row.target,
  subject: row.subject,
  state: row.state,
  critical: row.critical === 1,
  attempts: row.attempts,
  created_at: toRfc3339(row.created_ms),
  ...(row.state === 'pending' ? { next_attempt_at: toRfc3339(row.next_ms) } : {}),
  ...(row.delivered_ms === null ? {} : { delivered_at: toRfc3339(row.delivered_ms) }),
  ...(row.last_error === null ? {} : { last_error: row.last_error }),
  ...(row.incident_id === null ? {} : { incident_id: row.incident_id }),
});
