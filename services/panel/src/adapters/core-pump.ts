/**
 * Brings what was stored to core: events first, then audit rows. One batch is under way at a time; what arrives
 * meanwhile is the next batch, so batches grow with the load and nothing waits for a timer.
 * What must stay true: a row is reported settled only after core has answered for it, and a row that core did not take
 * is tried again until it does, in order.
 */
import { InternalAppended, internalPaths, type ErrorCode, type IncomingEvent } from '@siphera/contract';
import { AppError, type InternalClient, type Logger } from '@siphera/runtime';
import type { AuditStore } from '../store/audit.store.ts';
import type { MessageStore, OutboxRow } from '../store/message.store.ts';
import type { PanelMetrics } from './panel-metrics.ts';

export type QueuedRow = OutboxRow & { list: IncomingEvent[] };
export type Settled = { row: QueuedRow; outcome: 'committed' | 'refused' };

/** The contract takes 500 events a batch; the bytes bound one request's memory in core. */
const batchEventsMax = 500;
const batchBytesMax = 1_000_000;
/** Rows held in memory; the rest waits in the file. */
const queueRowsMax = 5_000;
const retryMsFirst = 50;
const retryMsMax = 1_000;

/** Core says that this very content will never be taken. Everything else is tried again. */
const permanent: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'validation_failed',
  'malformed_body',
  'payload_too_large',
  'unprocessable',
]);

export class CorePump {
  readonly #client: InternalClient;
  readonly #messages: MessageStore;
  readonly #audit: AuditStore;
  readonly #log: Logger;
  readonly #metrics: PanelMetrics;
  readonly #onSettled: (settled: Settled[]) => void;
  #queue: QueuedRow[] = [];
  /** Id of the last row taken into memory; rows behind it are in the file when `#behind`. */
  #cursor = 0;
  #behind = true;
  #auditWaits = true;
  #reachable = false;
  #stopped = false;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;

  constructor(options: {
    client: InternalClient;
    messages: MessageStore;
    audit: AuditStore;
    log: Logger;
    metrics: PanelMetrics;
    onSettled: (settled: Settled[]) => void;
  }) {
    this.#client = options.client;
    this.#messages = options.messages;
    this.#audit = options.audit;
    this.#log = options.log;
    this.#metrics = options.metrics;
    this.#onSettled = options.onSettled;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await this.#running;
  }

  /** Whether core took the last batch. A panel's link test is not acknowledged while it did not. */
  isReachable(): boolean {
    return this.#reachable;
  }

  /** Whether a heartbeat got through: that tells of core while there is nothing to bring to it. */
  noteHeartbeat(error: unknown): void {
    if (error !== undefined) this.#lost(error);
    else if (this.#queue.length === 0) this.#heard();
  }

  /** Takes rows that were stored, in order of their ids. */
  add(rows: QueuedRow[]): void {
    if (rows.length === 0) return;
    if (!this.#behind && this.#queue.length + rows.length <= queueRowsMax) {
      this.#queue.push(...rows);
      this.#cursor = rows.at(-1)?.id ?? this.#cursor;
    } else {
      this.#behind = true;
    }
    this.#wake?.();
  }

  /** An audit row was stored. */
  auditAdded(): void {
    this.#auditWaits = true;
    this.#wake?.();
  }

  async #run(): Promise<void> {
    let waitMs = retryMsFirst;
    while (!this.#stopped) {
      try {
        const batch = this.#nextBatch();
        const did = batch.length > 0 ? await this.#send(batch) : await this.#sendAudit();
        if (did) this.#heard();
        waitMs = retryMsFirst;
        if (!did) await this.#sleep();
      } catch (error) {
        this.#metrics.appends.inc({ outcome: 'unavailable' });
        this.#lost(error);
        await this.#sleep(waitMs);
        waitMs = Math.min(waitMs * 2, retryMsMax);
      }
    }
  }

  #nextBatch(): QueuedRow[] {
    if (this.#queue.length === 0 && this.#behind) this.#refill();
    const batch: QueuedRow[] = [];
    let events = 0;
    let bytes = 0;
    for (const row of this.#queue) {
      events += row.list.length;
      bytes += row.events.length;
      if (batch.length > 0 && (events > batchEventsMax || bytes > batchBytesMax)) break;
      batch.push(row);
    }
    return batch;
  }

  #refill(): void {
    const rows = this.#messages.waiting(this.#cursor, batchEventsMax);
    this.#behind = rows.length === batchEventsMax;
    this.#cursor = rows.at(-1)?.id ?? this.#cursor;
    this.#queue.push(...rows.map((row) => ({ ...row, list: JSON.parse(row.events) as IncomingEvent[] })));
  }

  async #send(batch: QueuedRow[]): Promise<true> {
    const events = batch.flatMap((row) => row.list);
    this.#metrics.appendEvents.observe(events.length);
    try {
      const answer = await this.#client.call('POST', internalPaths.events, { channel: 'panel', events });
      await this.#sendUnplaced(events, answer);
      this.#metrics.appends.inc({ outcome: 'committed' });
      this.#finish(batch, 'committed');
    } catch (error) {
      if (!isPermanent(error)) throw error;
      if (batch.length > 1) {
        for (const row of batch) await this.#send([row]);
        return true;
      }
      this.#metrics.appends.inc({ outcome: 'refused' });
      this.#log.error('core_refused_event', { error, event_id: batch[0]?.event_id });
      this.#finish(batch, 'refused');
    }
    return true;
  }

  /**
   * Accepted, seen before, or in the dead letters: in each case core has it. But nobody is called by a dead letter, and
   * a zone may be mapped to a device that has been removed since: such a report goes again without its place.
   */
  async #sendUnplaced(events: IncomingEvent[], answer: unknown): Promise<void> {
    const { results } = InternalAppended.parse(answer);
    if (results.length !== events.length)
      throw new AppError('unavailable', 'Core answered for another number of events');
    const dead = events.flatMap((event, index) => {
      const result = results[index];
      return result?.status === 'dead_lettered' ? [{ event, reason: result.reason ?? '' }] : [];
    });
    for (const { event, reason } of dead)
      this.#log.warn('event_dead_lettered', { event_id: event.id, type: event.type, reason });
    const again = dead.flatMap(({ event, reason }) => withoutPlace(event, reason) ?? []);
    if (again.length === 0) return;
    this.#metrics.appends.inc({ outcome: 'sent_without_place' });
    await this.#client.call('POST', internalPaths.events, { channel: 'panel', events: again });
  }

  #finish(batch: QueuedRow[], outcome: Settled['outcome']): void {
    const done = new Set(batch.map((row) => row.id));
    this.#queue = this.#queue.filter((row) => !done.has(row.id));
    this.#onSettled(batch.map((row) => ({ row, outcome })));
  }

  async #sendAudit(): Promise<boolean> {
    if (!this.#auditWaits) return false;
    const next = this.#audit.next();
    if (!next) {
      this.#auditWaits = false;
      return false;
    }
    try {
      await this.#client.call('POST', internalPaths.audit, next.body);
    } catch (error) {
      if (!isPermanent(error)) throw error;
      this.#log.error('core_refused_audit', { error, audit: next.body });
    }
    this.#audit.remove(next.id);
    return true;
  }

  #heard(): void {
    if (!this.#reachable) this.#log.info('core_takes_events');
    this.#reachable = true;
  }

  #lost(error: unknown): void {
    if (this.#reachable) this.#log.warn('core_away', { error });
    this.#reachable = false;
  }

  /** Until woken, or for `ms` when given: a failing core is not asked more often because more frames arrive. */
  #sleep(ms?: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
      this.#wake = () => {
        if (ms !== undefined && !this.#stopped) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

const isPermanent = (error: unknown): boolean => error instanceof AppError && permanent.has(error.code);

/** The event without device and area, under an id of its own; undefined when it had neither. */
function withoutPlace(event: IncomingEvent, reason: string): IncomingEvent | undefined {
  const { subject, areaid, ...rest } = event;
  if (subject === undefined && areaid === undefined) return undefined;
  const data = { ...(event.data as Record<string, unknown>), unplaced: reason.slice(0, 200) };
  return { ...rest, id: `${event.id}-unplaced`, data };
}
