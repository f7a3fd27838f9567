/**
 * Brings events, audit rows and other calls to core in the order in which they happened. One call is under way at a time;
 * events that wait meanwhile go together. What must stay true: a row goes only after core has answered for it; what core
 * will never take is kept aside with the reason and holds nothing up.
 */
import {
  InternalAppended,
  internalPaths,
  type ErrorCode,
  type IncomingEvent,
  type InternalAppend,
  type InternalAudit,
} from '@siphera/contract';
import type { z } from 'zod';
import { AppError } from './app-error.ts';
import type { Clock } from './clock.ts';
import type { InternalClient } from './internal-client.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { OutboxRow, OutboxStore } from './outbox-store.ts';

/** The contract takes 500 events a batch; the bytes bound one request's memory in core. */
const batchEventsMax = 500;
const batchBytesMax = 1_000_000;
const retryMsFirst = 100;
const retryMsMax = 5_000;

/** Core says that this very content will never be taken. Everything else is tried again. */
const permanent: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'validation_failed',
  'malformed_body',
  'payload_too_large',
  'unprocessable',
  'not_found',
  'forbidden',
  'conflict',
  'duplicate',
]);

export class CoreOutbox {
  readonly #client: InternalClient;
  readonly #store: OutboxStore;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #channel: z.infer<typeof InternalAppend>['channel'];
  readonly #calls;
  #reachable = false;
  #stopped = false;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;

  /** `channel`: by which way its events come, as core names it. */
  constructor(options: {
    client: InternalClient;
    store: OutboxStore;
    channel: z.infer<typeof InternalAppend>['channel'];
    clock: Clock;
    log: Logger;
    metrics: Metrics;
  }) {
    this.#client = options.client;
    this.#store = options.store;
    this.#channel = options.channel;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#calls = options.metrics.counter('core_calls_total', 'Calls to core by outcome', ['outcome']);
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await this.#running;
  }

  /** Kept by this call, or by the commit of the transaction it is called in; so are the two below. */
  event(event: IncomingEvent): void {
    this.#add({ kind: 'event', path: internalPaths.events, body: JSON.stringify(event) });
  }

  audit(row: z.infer<typeof InternalAudit>): void {
    this.post(internalPaths.audit, row);
  }

  /** @param path of core's internal API, which answers 2xx when it took the body. */
  post(path: string, body: unknown): void {
    this.#add({ kind: 'post', path, body: JSON.stringify(body) });
  }

  /** Whether core took the last call, or answered the last heartbeat. */
  isReachable(): boolean {
    return this.#reachable;
  }

  noteHeartbeat(error: unknown): void {
    if (error !== undefined) this.#lost(error);
    else if (this.#store.waitingCount() === 0) this.#heard();
  }

  #add(row: Omit<OutboxRow, 'id'>): void {
    const dropped = this.#store.add(row, this.#clock.now());
    if (dropped > 0) this.#calls.inc({ outcome: 'dropped' });
    this.#wake?.();
  }

  async #run(): Promise<void> {
    let waitMs = retryMsFirst;
    while (!this.#stopped) {
      try {
        const batch = nextBatch(this.#store.next(batchEventsMax));
        if (batch.length === 0) await this.#sleep();
        else {
          await this.#send(batch);
          this.#heard();
        }
        waitMs = retryMsFirst;
      } catch (error) {
        this.#calls.inc({ outcome: 'unavailable' });
        this.#lost(error);
        await this.#sleep(waitMs);
        waitMs = Math.min(waitMs * 2, retryMsMax);
      }
    }
  }

  async #send(batch: readonly OutboxRow[]): Promise<void> {
    const [first] = batch;
    if (!first) return;
    try {
      if (first.kind === 'event') await this.#append(batch);
      else await this.#client.call('POST', first.path, JSON.parse(first.body));
      this.#calls.inc({ outcome: 'taken' });
      this.#store.taken(batch);
    } catch (error) {
      if (!(error instanceof AppError) || !permanent.has(error.code)) throw error;
      if (batch.length > 1) {
        for (const row of batch) await this.#send([row]);
        return;
      }
      this.#calls.inc({ outcome: 'refused' });
      this.#log.error('core_refused', { error, path: first.path, outbox_id: first.id });
      this.#store.refused(first, `${error.code}: ${error.message}`);
    }
  }

  /** Accepted, seen before, or in the dead letters: in each case core has it. */
  async #append(batch: readonly OutboxRow[]): Promise<void> {
    const events = batch.map(({ body }) => JSON.parse(body) as IncomingEvent);
    const answer = await this.#client.call('POST', internalPaths.events, {
      channel: this.#channel,
      events,
    });
    const { results } = InternalAppended.parse(answer);
    if (results.length !== events.length)
      throw new AppError('unavailable', 'Core answered for another number of events');
    for (const { id, status, reason } of results)
      if (status === 'dead_lettered') this.#log.warn('event_dead_lettered', { event_id: id, reason });
  }

  #heard(): void {
    if (!this.#reachable) this.#log.info('core_takes_events');
    this.#reachable = true;
  }

  #lost(error: unknown): void {
    if (this.#reachable) this.#log.warn('core_away', { error });
    this.#reachable = false;
  }

  /** Until woken, or for `ms` when given: a failing core is not asked more often because more happens. */
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

/** Events in a row go together; anything else goes alone. */
function nextBatch(rows: readonly OutboxRow[]): OutboxRow[] {
  const [first] = rows;
  if (!first) return [];
  if (first.kind !== 'event') return [first];
  const batch: OutboxRow[] = [];
  let bytes = 0;
  for (const row of rows) {
    bytes += row.body.length;
    if (row.kind !== 'event' || (batch.length > 0 && bytes > batchBytesMax)) break;
    batch.push(row);
  }
  return batch;
}
