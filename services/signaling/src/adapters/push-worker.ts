/**
 * Sends what is due, and takes down what came of it. What must stay true: a job is gone only when it was sent, its life is over or
 * it is of no use any more; one that was being sent when the process ended is sent again, and replaces itself on the phone by its topic.
 */
import { createHash } from 'node:crypto';
import type { PushPayload } from '@siphera/contract';
import { toRfc3339, type Metrics } from '@siphera/runtime';
import { nextTry, type PushOutcome } from '../domain/push-outcome.ts';
import { lifeMs, receiptLifeMs, sealable, titleOf, topicOf, urgencyOf } from '../domain/push-payload.ts';
import type { PushReach } from '../domain/push-reach.ts';
import type { Ground } from '../ground.ts';
import type { PushIncidentStore } from '../store/push-incident.store.ts';
import type { PushJob, PushJobStore } from '../store/push-job.store.ts';
import type { PushSubscriptionStore, SubscriptionRow } from '../store/push-subscription.store.ts';
import type { AlarmChain } from './alarm-chain.ts';
import type { PushSender } from './push-sender.ts';
import type { WakeUps } from './wake-ups.ts';

/** Beside the seconds that a push takes, a quarter of one is nothing. */
const tickMs = 250;
/** Sends under way: a service that hangs for ten seconds holds up a few, not all. */
const sendsMax = 32;
/** RFC 4086: nobody guesses 128 bits. */
const receiptBytes = 16;
const dayMs = 86_400_000;
/** An incident without a change for that long rings nobody, and no receipt is known of it any more. */
const incidentsKeepMs = 7 * dayMs;
/** So long the list shows that a phone rings no more, and why. */
const endedKeepMs = 30 * dayMs;
const cleanMs = 3_600_000;

export type PushWorkerOptions = Pick<Ground, 'db' | 'clock' | 'random' | 'log'> & {
  metrics: Metrics;
  jobs: PushJobStore;
  incidents: PushIncidentStore;
  subscriptions: PushSubscriptionStore;
  chain: AlarmChain;
  wakeUps: WakeUps;
  sender: Pick<PushSender, 'send' | 'stop'>;
  reach: PushReach;
  topicSecret: Buffer;
};

export class PushWorker {
  readonly #options: PushWorkerOptions;
  readonly #sending = new Map<number, Promise<void>>();
  readonly #sent;
  #timer: NodeJS.Timeout | undefined;
  #cleanedMs = -Infinity;

  constructor(options: PushWorkerOptions) {
    this.#options = options;
    this.#sent = options.metrics.counter('pushes_total', 'Pushes by what came of a try', ['kind', 'outcome']);
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#options.sender.stop();
    await Promise.all(this.#sending.values());
  }

  #tick(): void {
    try {
      this.#options.chain.tick();
      this.#options.subscriptions.endTestsBefore(this.#options.clock.now() - lifeMs.test);
      this.#clean();
      this.#sendDue();
    } catch (error) {
      this.#options.log.error('push_tick_failed', { error });
    }
  }

  #sendDue(): void {
    const { jobs, clock } = this.#options;
    if (this.#sending.size >= sendsMax) return;
    // Those under way are due too: as many again may be free.
    for (const job of jobs.due(clock.now(), 2 * sendsMax)) {
      if (this.#sending.has(job.id)) continue;
      if (this.#sending.size >= sendsMax) return;
      const sending = this.#run(job)
        .catch((error: unknown) => this.#fail(job, error))
        .finally(() => this.#next(job.id));
      this.#sending.set(job.id, sending);
    }
  }

  /** Many phones do not wait for the next tick: half of the places free is enough to look for more. */
  #next(doneId: number): void {
    this.#sending.delete(doneId);
    if (this.#timer === undefined || this.#sending.size !== sendsMax / 2) return;
    try {
      this.#sendDue();
    } catch (error) {
      this.#options.log.error('push_tick_failed', { error });
    }
  }

  async #run(job: PushJob): Promise<void> {
    const { clock, jobs, random, subscriptions, wakeUps } = this.#options;
    const phone = subscriptions.get(job.subscriptionId);
    const receipt = random.bytes(receiptBytes).toString('base64url');
    const nowMs = clock.now();
    const payload =
      phone?.endedMs === null && nowMs < job.endsMs ? this.#payload(job, phone, receipt) : undefined;
    if (!phone || !payload) {
      jobs.done(job);
      return;
    }
    const token = hashReceipt(receipt);
    jobs.addReceipt(token, job, nowMs);
    if (job.kind === 'message' || job.kind === 'call') subscriptions.noteWake(phone.id, job.kind, nowMs);
    wakeUps.begins(job);
    try {
      const outcome = await this.#send(job, phone, payload, nowMs);
      this.#sent.inc({ kind: job.kind, outcome: outcome.kind });
      this.#options.db.transaction(() => this.#settle(job, phone, token, outcome)).immediate();
    } finally {
      wakeUps.ended(job);
    }
  }

  #send(job: PushJob, phone: SubscriptionRow, payload: PushPayload, nowMs: number): Promise<PushOutcome> {
    const { sender, topicSecret } = this.#options;
    return sender.send({
      endpoint: phone.endpoint,
      keys: { p256dh: phone.p256dh, auth: phone.auth },
      payload: sealable(payload),
      ttlSeconds: Math.max(1, Math.ceil((job.endsMs - nowMs) / 1_000)),
      urgency: urgencyOf[job.kind],
      topic: topicOf(topicSecret, phone.id, job.about === '' ? job.kind : job.about),
    });
  }

  /** Undefined: it is of no use any more, or not for this person. */
  #payload(job: PushJob, phone: SubscriptionRow, receipt: string): PushPayload | undefined {
    const { chain, incidents, wakeUps } = this.#options;
    switch (job.kind) {
      case 'test':
        return { kind: 'test', receipt, subscription_id: phone.id };
      case 'message':
      case 'call':
        return wakeUps.wants(phone, job.kind) ? { kind: job.kind, receipt } : undefined;
      case 'cleared':
        return { kind: 'cleared', receipt, incident_id: job.about };
      case 'alarm': {
        const incident = incidents.get(job.about);
        if (incident?.state !== 'new') return undefined;
        if (!chain.recipient(incident, phone.userId)) {
          chain.letGo(incident.id, phone.userId);
          return undefined;
        }
        return {
          kind: 'alarm',
          receipt,
          incident_id: incident.id,
          number: incident.number,
          title: titleOf(incident),
          severity: incident.severity,
          place: incident.place,
          opened_at: toRfc3339(incident.openedMs),
        };
      }
    }
  }

  #settle(job: PushJob, phone: SubscriptionRow, token: Buffer, outcome: PushOutcome): void {
    const { chain, clock, incidents, jobs, random, reach, subscriptions } = this.#options;
    const nowMs = clock.now();
    reach.note(outcome, nowMs);
    if (outcome.kind === 'taken') {
      jobs.noteTaken(token);
      subscriptions.noteTaken(phone.id, nowMs);
      jobs.done(job);
      if (job.kind === 'alarm') chain.taken(job.about, phone.id);
      return;
    }
    jobs.removeReceipt(token);
    if (outcome.kind === 'gone') {
      subscriptions.end(phone.id, outcome.why, nowMs);
      if (subscriptions.liveOf(phone.userId).length === 0) incidents.hurry(phone.userId, nowMs);
      return;
    }
    subscriptions.noteError(phone.id, outcome.why);
    const again =
      outcome.kind === 'later'
        ? nextTry({
            attempts: job.attempts + 1,
            afterMs: outcome.afterMs,
            nowMs,
            endsMs: job.endsMs,
            fraction: random.fraction(),
          })
        : undefined;
    if (again !== undefined) jobs.later(job, again);
    else this.#giveUp(job, phone, nowMs);
  }

  #giveUp(job: PushJob, phone: SubscriptionRow, nowMs: number): void {
    this.#options.jobs.done(job);
    if (job.kind === 'test')
      this.#options.subscriptions.setTested(phone.id, 'unreachable', phone.testedMs ?? nowMs, null);
  }

  /** A fault of ours: the job must not be tried four times a second. */
  #fail(job: PushJob, error: unknown): void {
    const { clock, jobs, log } = this.#options;
    log.error('push_failed', { error, push: job.kind, subscription_id: job.subscriptionId });
    this.#sent.inc({ kind: job.kind, outcome: 'failed' });
    try {
      const nowMs = clock.now();
      const again = nextTry({
        attempts: job.attempts + 1,
        afterMs: undefined,
        nowMs,
        endsMs: job.endsMs,
        fraction: 0.5,
      });
      if (again === undefined) jobs.done(job);
      else jobs.later(job, again);
    } catch (second) {
      log.error('push_not_put_off', { error: second });
    }
  }

  #clean(): void {
    const { clock, incidents, jobs, subscriptions } = this.#options;
    if (clock.monotonic() - this.#cleanedMs < cleanMs) return;
    this.#cleanedMs = clock.monotonic();
    const nowMs = clock.now();
    jobs.removeReceiptsBefore(nowMs - receiptLifeMs);
    incidents.removeHeardBefore(nowMs - incidentsKeepMs);
    subscriptions.removeEndedBefore(nowMs - endedKeepMs);
  }
}

/** The token lies in the push alone; who reads the database can report nothing. */
export const hashReceipt = (receipt: string): Buffer => createHash('sha256').update(receipt).digest();
