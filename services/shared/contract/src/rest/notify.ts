/** E-mail, webhooks, escalation, and what was sent. */
import { z } from 'zod';
import { ById, Email, Name, PageQuery, page, Severity, Timestamp, Uuid } from '../primitives.ts';
import { defineRoutes } from './route.ts';

export const SmtpSettings = z.object({
  enabled: z.boolean(),
  host: z.string().max(253),
  port: z.int().min(1).max(65_535),
  security: z.enum(['tls', 'starttls', 'none']),
  username: z.string().max(254),
  from: Email.or(z.literal('')),
  password_set: z.boolean(),
});
export const Webhook = z.object({
  id: Uuid,
  org_id: Uuid,
  name: Name,
  url: z.url().max(1_000),
  kinds: z.array(z.enum(['incident'])).min(1),
  severity_min: Severity,
  active: z.boolean(),
  created_at: Timestamp,
  last_success_at: Timestamp.optional(),
  last_error: z.string().optional(),
  failing_since: Timestamp.optional(),
});
export const WebhookInput = z.object({
  name: Name,
  url: z.url({ protocol: /^https?$/ }).max(1_000),
  kinds: z
    .array(z.enum(['incident']))
    .min(1)
    .default(['incident']),
  severity_min: Severity.default('info'),
  active: z.boolean().default(true),
});
export const Delivery = z.object({
  id: Uuid,
  channel: z.enum(['email', 'webhook']),
  target: z.string(),
  subject: z.string(),
  state: z.enum(['pending', 'delivered', 'gave_up']),
  critical: z.boolean().meta({ description: 'Critical ones are tried until they arrive' }),
  attempts: z.int(),
  created_at: Timestamp,
  next_attempt_at: Timestamp.optional(),
  delivered_at: Timestamp.optional(),
  last_error: z.string().optional(),
  incident_id: Uuid.optional(),
});
export const EscalationStep = z.object({
  after_ms: z.int().min(5_000).max(86_400_000),
  user_ids: z.array(Uuid).max(100).default([]),
  group_ids: z.array(Uuid).max(100).default([]),
  channels: z.array(z.enum(['console', 'email', 'webhook'])).min(1),
  webhook_ids: z.array(Uuid).max(20).default([]),
});
export const Escalation = z.object({
  id: Uuid,
  org_id: Uuid,
  name: Name,
  severity_min: Severity,
  steps: z.array(EscalationStep).min(1).max(10),
  default: z.boolean().meta({ description: 'Used by incidents whose rule names none' }),
  updated_at: Timestamp,
});
const EscalationInput = Escalation.omit({ id: true, org_id: true, updated_at: true });

const core = { service: 'core', tag: 'notifications' } as const;
const manage = { ...core, access: 'notify.manage' } as const;

export const notifyRoutes = defineRoutes({
  getSmtp: {
    ...manage,
    method: 'get',
    path: '/notifications/smtp',
    summary: 'E-mail settings, without the password',
    response: SmtpSettings,
  },
  putSmtp: {
    ...manage,
    method: 'put',
    path: '/notifications/smtp',
    summary: 'Set e-mail; an absent password keeps the old one',
    body: SmtpSettings.omit({ password_set: true }).extend({ password: z.string().max(512).optional() }),
    response: SmtpSettings,
  },
  testSmtp: {
    ...manage,
    method: 'post',
    path: '/notifications/smtp/test',
    summary: 'Send a test mail now and say what the server answered',
    body: z.object({ to: Email }),
    response: z.object({ ok: z.boolean(), answer: z.string() }),
  },
  listWebhooks: {
    ...manage,
    method: 'get',
    path: '/webhooks',
    summary: 'Webhooks',
    response: z.object({ items: z.array(Webhook) }),
  },
  createWebhook: {
    ...manage,
    method: 'post',
    path: '/webhooks',
    summary: 'Add a webhook; its signing secret (Standard Webhooks) is shown once',
    body: WebhookInput,
    response: Webhook.extend({ secret: z.string() }),
    status: 201,
  },
  updateWebhook: {
    ...manage,
    method: 'patch',
    path: '/webhooks/{id}',
    summary: 'Change a webhook',
    params: ById,
    body: z.object({
      name: Name.optional(),
      url: z
        .url({ protocol: /^https?$/ })
        .max(1_000)
        .optional(),
      kinds: z
        .array(z.enum(['incident']))
        .min(1)
        .optional(),
      severity_min: Severity.optional(),
      active: z.boolean().optional(),
    }),
    response: Webhook,
  },
  deleteWebhook: {
    ...manage,
    method: 'delete',
    path: '/webhooks/{id}',
    summary: 'Remove a webhook',
    params: ById,
    status: 204,
  },
  testWebhook: {
    ...manage,
    method: 'post',
    path: '/webhooks/{id}/test',
    summary: 'Send a signed test message now',
    params: ById,
    response: z.object({ ok: z.boolean(), answer: z.string() }),
  },
  listDeliveries: {
    ...manage,
    method: 'get',
    path: '/notifications/deliveries',
    summary: 'What was sent, what waits, what failed',
    query: PageQuery.extend({ state: z.enum(['pending', 'delivered', 'gave_up']).optional() }),
    response: page(Delivery),
  },
  listEscalations: {
    ...core,
    access: 'rule.read',
    method: 'get',
    path: '/escalations',
    summary: 'Escalation plans',
    response: z.object({ items: z.array(Escalation) }),
  },
  createEscalation: {
    ...manage,
    method: 'post',
    path: '/escalations',
    summary: 'Add an escalation plan',
    body: EscalationInput,
    response: Escalation,
    status: 201,
  },
  putEscalation: {
    ...manage,
    method: 'put',
    path: '/escalations/{id}',
    summary: 'Change an escalation plan',
    params: ById,
    body: EscalationInput,
    response: Escalation,
  },
  deleteEscalation: {
    ...manage,
    method: 'delete',
    path: '/escalations/{id}',
    summary: 'Remove an escalation plan',
    params: ById,
    status: 204,
  },
});
