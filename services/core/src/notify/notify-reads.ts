/** Reading notification settings, webhooks, escalations, deliveries. */
import { AppError, type Sqlite } from '@siphera/runtime/base';
import { authorise, authoriseAnywhere, orgScope } from '../kernel/access.ts';
import { decodeCursor, toPage } from '../kernel/cursor.ts';
import { readFeedSeq } from '../kernel/feed-seq.ts';
import type { ReadContext } from '../kernel/transaction.ts';
import {
  toDelivery,
  toEscalation,
  toWebhook,
  type EscalationRow,
  type OutboxRow,
  type StoredSmtp,
  type WebhookRow,
} from './store/notify-rows.ts';

const noSmtp: StoredSmtp = {
  enabled: false,
  host: '',
  port: 587,
  security: 'starttls',
  username: '',
  from: '',
  password: null,
};

export function readSmtp(db: Sqlite, orgId: string): StoredSmtp {
  const row = db
    .prepare<[string], { value: string }>(`SELECT value FROM settings WHERE org_id = ? AND name = 'smtp'`)
    .get(orgId);
  return row ? (JSON.parse(row.value) as StoredSmtp) : noSmtp;
}

export function readOutboundAllow(db: Sqlite, orgId: string): string[] {
  const row = db
    .prepare<[string], { value: string }>(
      `SELECT value FROM settings WHERE org_id = ? AND name = 'outbound_allow'`,
    )
    .get(orgId);
  return row ? (JSON.parse(row.value) as string[]) : [];
}

const manage = ({ actor }: ReadContext): void => authorise(actor, 'notify.manage', orgScope(actor.orgId));

export const notifyReads = {
  getSmtp: (context: ReadContext, _input: Record<string, never>) => {
    manage(context);
    const { password, ...settings } = readSmtp(context.db, context.actor.orgId);
    return { ...settings, password_set: password !== null };
  },

  /** For the sender and the test button, inside the box only: the password is still sealed. */
  getSmtpAccess: (context: ReadContext, _input: Record<string, never>): StoredSmtp => {
    manage(context);
    return readSmtp(context.db, context.actor.orgId);
  },

  listWebhooks: (context: ReadContext, _input: Record<string, never>) => {
    manage(context);
    return {
      items: context.db
        .prepare<[string], WebhookRow>('SELECT * FROM webhooks WHERE org_id = ? ORDER BY name, id')
        .all(context.actor.orgId)
        .map(toWebhook),
    };
  },

  getWebhookAccess: (context: ReadContext, input: { id: string }) => {
    manage(context);
    const row = context.db
      .prepare<[string, string], WebhookRow>('SELECT * FROM webhooks WHERE id = ? AND org_id = ?')
      .get(input.id, context.actor.orgId);
    if (!row) throw new AppError('not_found', 'There is no such webhook.');
    return {
      url: row.url,
      sealed_secret: row.secret,
      allow: readOutboundAllow(context.db, context.actor.orgId),
    };
  },

  listDeliveries: (
    context: ReadContext,
    input: { cursor?: string | undefined; limit: number; state?: string | undefined },
  ) => {
    manage(context);
    const before = input.cursor ? decodeCursor(input.cursor) : 'g';
    const rows = context.db
      .prepare<unknown[], OutboxRow>(
        `SELECT o.*, w.name AS target_name FROM outbox o LEFT JOIN webhooks w ON w.id = o.target
         WHERE o.org_id = ? AND o.id < ? AND (? IS NULL OR o.state = ?) ORDER BY o.id DESC LIMIT ?`,
      )
      .all(context.actor.orgId, before, input.state ?? null, input.state ?? null, input.limit + 1);
    return { ...toPage(rows, input.limit, toDelivery, (row) => row.id), feed_seq: readFeedSeq(context.db) };
  },

  listEscalations: ({ db, actor }: ReadContext, _input: Record<string, never>) => {
    authoriseAnywhere(actor, 'rule.read');
    const items = db
      .prepare<[string], EscalationRow>('SELECT * FROM escalations WHERE org_id = ? ORDER BY name, id')
      .all(actor.orgId)
      .map(toEscalation);
    return { items };
  },
};
