/** Delivers the outbox: looks for what is due each second, sends a bounded number at a time, records what came of it. */
import { AppError, newTraceId } from '@siphera/runtime';
import type { AppDeps } from '../app-deps.ts';
import { systemActor } from '../kernel/actor.ts';
import type { SecretBox } from '../kernel/secret-box.ts';
import { sendMail } from './adapters/mail-sender.ts';
import { sendWebhook } from './adapters/webhook-sender.ts';
import { nextAttempt } from './domain/retry.ts';
import type { DeliveryResult } from './notify-writes.ts';
import { readOutboundAllow, readSmtp } from './notify-reads.ts';
import type { OutboxRow, WebhookRow } from './store/notify-rows.ts';

const lookEveryMs = 1_000;
/** A target that hangs for its ten seconds must not hold up the others. */
const inFlightMax = 16;

export class OutboxSender {
  readonly #app: AppDeps;
  readonly #secrets: SecretBox;
  readonly #inFlight = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(app: AppDeps, secrets: SecretBox) {
    this.#app = app;
    this.#secrets = secrets;
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), lookEveryMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const room = inFlightMax - this.#inFlight.size;
    if (room <= 0) return;
    const due = this.#app.db
      .prepare<[number, number], OutboxRow>(
        `SELECT *, NULL AS target_name FROM outbox WHERE state = 'pending' AND next_ms <= ? ORDER BY critical DESC, next_ms LIMIT ?`,
      )
      .all(this.#app.clock.now(), inFlightMax * 2);
    for (const row of due.filter((one) => !this.#inFlight.has(one.id)).slice(0, room)) void this.#send(row);
  }

  async #send(row: OutboxRow): Promise<void> {
    const { log, box, random } = this.#app;
    this.#inFlight.add(row.id);
    try {
      const result = await this.#attempt(row);
      const context = { actor: systemActor(row.org_id), traceId: newTraceId(random) };
      await box.write('recordDeliveries', context, { results: [result] });
      log.info(result.ok ? 'delivered' : 'delivery_failed', {
        id: row.id,
        channel: row.channel,
        attempts: row.attempts + 1,
        ...(result.error ? { reason: result.error } : {}),
      });
    } catch (error) {
      // Not recorded: it is due again, with the same idempotency key.
      log.warn('delivery_not_recorded', { id: row.id, error });
    } finally {
      this.#inFlight.delete(row.id);
    }
  }

  async #attempt(row: OutboxRow): Promise<DeliveryResult> {
    const { clock, random } = this.#app;
    try {
      await (row.channel === 'email' ? this.#mail(row) : this.#hook(row));
      return { id: row.id, ok: true, next_ms: null };
    } catch (error) {
      const reason = error instanceof AppError ? error.message : 'The box failed on it.';
      // Its target will not come back, however critical it is.
      if (error instanceof AppError && error.code === 'gone')
        return { id: row.id, ok: false, error: reason, next_ms: null };
      const next = nextAttempt({
        attempts: row.attempts,
        createdMs: row.created_ms,
        nowMs: clock.now(),
        critical: row.critical === 1,
        fraction: random.fraction(),
      });
      return { id: row.id, ok: false, error: reason, next_ms: next === 'give_up' ? null : next.at };
    }
  }

  async #mail(row: OutboxRow): Promise<void> {
    const smtp = readSmtp(this.#app.db, row.org_id);
    if (!smtp.enabled) throw new AppError('unavailable', 'E-mail is not set up.');
    const body = JSON.parse(row.body) as { title: string; incident_id?: string };
    const link =
      body.incident_id === undefined
        ? ''
        : `\n\nhttps://${this.#app.config.PUBLIC_HOST_NAME}/incidents/${body.incident_id}`;
    const password = smtp.password === null ? undefined : this.#secrets.open(smtp.password);
    await sendMail(
      { ...smtp, password },
      {
        id: row.id,
        to: row.target,
        subject: row.subject,
        text: `${body.title}${link}\n`,
        critical: row.critical === 1,
      },
    );
  }

  async #hook(row: OutboxRow): Promise<void> {
    const { db, clock } = this.#app;
    const hook = db.prepare<[string], WebhookRow>('SELECT * FROM webhooks WHERE id = ?').get(row.target);
    if (!hook) throw new AppError('gone', 'The webhook was removed.');
    if (hook.active === 0) throw new AppError('unavailable', 'The webhook is switched off.');
    const payload = JSON.stringify({
      id: row.id,
      org_id: row.org_id,
      ...(JSON.parse(row.body) as Record<string, unknown>),
    });
    await sendWebhook({
      url: hook.url,
      secret: this.#secrets.open(hook.secret),
      id: row.id,
      atMs: clock.now(),
      payload,
      allow: readOutboundAllow(db, row.org_id),
    });
  }
}
