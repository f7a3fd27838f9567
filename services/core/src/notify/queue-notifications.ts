/** Puts what has to leave the box into the outbox, in the transaction of its cause. Delivery is the sender's matter. */
import type { Incident, Severity } from '@siphera/contract';
import type { Tx } from '../kernel/transaction.ts';
import { addTimeline } from '../incidents/store/timeline.store.ts';
import { severityRank } from './severity.ts';

type Channel = 'console' | 'email' | 'webhook';
export type NotificationInput = {
  orgId: string;
  /** Place of the cause as scope keys: who may see that place hears of it on the console. */
  scopes: readonly string[];
  incidentId: string | undefined;
  title: string;
  action: {
    channels: readonly Channel[];
    user_ids: readonly string[];
    group_ids: readonly string[];
    webhook_ids: readonly string[];
  };
  /** Critical ones are tried until they arrive. */
  critical: boolean;
  traceId: string;
};
type Recipient = { id: string; name: string; email: string };

/** @returns who and what is told, as words for the timeline. */
export function queueNotifications(tx: Tx, input: NotificationInput): string[] {
  const told: string[] = [];
  const people = recipients(tx, input);
  if (input.action.channels.includes('email')) {
    for (const person of people) {
      queueMail(tx, { ...input, to: person.email });
      told.push(`${person.name} by e-mail`);
    }
  }
  if (input.action.channels.includes('webhook')) told.push(...queueHooks(tx, input));
  if (input.action.channels.includes('console')) {
    told.push(...people.map((person) => `${person.name} on the console`));
    tx.change({
      kind: 'notification',
      action: 'created',
      id: tx.random.uuid(),
      orgId: input.orgId,
      audience: 'incident.read',
      scopes: input.scopes,
      traceId: input.traceId,
      data: {
        title: input.title,
        incident_id: input.incidentId,
        user_ids: people.map((person) => person.id),
      },
    });
  }
  if (input.incidentId !== undefined && told.length > 0) {
    addTimeline(tx, {
      incidentId: input.incidentId,
      kind: 'notification',
      actor: { kind: 'system', id: 'notify', name: 'Siphera' },
      text: told.join(', '),
      data: {},
      traceId: input.traceId,
    });
  }
  return told;
}

/** One e-mail to one address. */
export function queueMail(
  tx: Tx,
  mail: {
    orgId: string;
    to: string;
    title: string;
    incidentId: string | undefined;
    traceId: string;
    critical: boolean;
  },
): void {
  enqueue(tx, {
    orgId: mail.orgId,
    channel: 'email',
    target: mail.to,
    subject: mail.title,
    body: { title: mail.title, incident_id: mail.incidentId, trace_id: mail.traceId },
    critical: mail.critical,
    incidentId: mail.incidentId,
  });
}

function recipients(tx: Tx, { orgId, action }: NotificationInput): Recipient[] {
  return tx.db
    .prepare<[string, string, string], Recipient>(
      `SELECT DISTINCT u.id, u.name, u.email FROM users u LEFT JOIN group_members m ON m.user_id = u.id
       WHERE u.org_id = ? AND u.active = 1 AND u.deleted_ms IS NULL
         AND (u.id IN (SELECT value FROM json_each(?)) OR m.group_id IN (SELECT value FROM json_each(?)))
       ORDER BY u.name`,
    )
    .all(orgId, JSON.stringify(action.user_ids), JSON.stringify(action.group_ids));
}

function queueHooks(tx: Tx, input: NotificationInput): string[] {
  const hooks = tx.db
    .prepare<[string, string], { id: string; name: string }>(
      'SELECT id, name FROM webhooks WHERE org_id = ? AND active = 1 AND id IN (SELECT value FROM json_each(?))',
    )
    .all(input.orgId, JSON.stringify(input.action.webhook_ids));
  for (const hook of hooks) {
    enqueue(tx, {
      orgId: input.orgId,
      channel: 'webhook',
      target: hook.id,
      subject: input.title,
      body: {
        type: 'notification',
        title: input.title,
        incident_id: input.incidentId,
        trace_id: input.traceId,
      },
      critical: input.critical,
      incidentId: input.incidentId,
    });
  }
  return hooks.map((hook) => `webhook ${hook.name}`);
}

/** Webhooks that asked for incidents hear of each change of state. */
export function queueIncidentWebhooks(tx: Tx, incident: Incident, type: string, traceId: string): void {
  const hooks = tx.db
    .prepare<[string], { id: string; severity_min: Severity }>(
      `SELECT id, severity_min FROM webhooks WHERE org_id = ? AND active = 1 AND EXISTS (SELECT 1 FROM json_each(kinds) WHERE value = 'incident')`,
    )
    .all(incident.org_id);
  for (const hook of hooks) {
    if (severityRank[incident.severity] < severityRank[hook.severity_min]) continue;
    enqueue(tx, {
      orgId: incident.org_id,
      channel: 'webhook',
      target: hook.id,
      subject: `#${incident.number} ${incident.title}`,
      body: { type, incident, trace_id: traceId },
      critical: incident.severity === 'critical',
      incidentId: incident.id,
    });
  }
}

type OutboxInput = {
  orgId: string;
  channel: 'email' | 'webhook';
  target: string;
  subject: string;
  body: unknown;
  critical: boolean;
  incidentId: string | undefined;
};

function enqueue(tx: Tx, input: OutboxInput): void {
  tx.db
    .prepare(
      `INSERT INTO outbox (id, org_id, channel, target, subject, body, critical, state, created_ms, next_ms, incident_id)
       VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?)`,
    )
    .run(
      tx.random.uuid(),
      input.orgId,
      input.channel,
      input.target,
      input.subject.slice(0, 300),
      JSON.stringify(input.body),
      input.critical ? 1 : 0,
      tx.nowMs,
      tx.nowMs,
      input.incidentId ?? null,
    );
}
