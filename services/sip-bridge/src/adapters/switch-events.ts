/**
 * Kamailio's reports: at once over evapi, and out of its spool what came while the bridge was down. What must stay true: a
 * row leaves the spool only after every handler has committed it or it lies in the dead reports; a report whose spool is
 * missing or broken is taken from evapi alone; order is the spool's.
 */
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { InternalHeartbeat } from '@siphera/contract';
import type { Clock, Logger, Metrics, Sqlite } from '@siphera/runtime';
import { NetstringReader } from '../domain/netstring.ts';
import { SwitchEvent } from '../domain/switch-event.ts';
import type { Switch } from '../ground.ts';
import { DeadReportStore } from '../store/dead-report.store.ts';
import { SwitchSpool, type SpoolRow } from './switch-spool.ts';

export type SwitchEventsOptions = {
  address: string;
  /** Directory. */
  spool: string;
  /** Our own file, for the dead reports. */
  db: Sqlite;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
};

const reconnectMsFirst = 200;
const reconnectMsMax = 5_000;
/** A connection that lived this long was a good one: the next wait is short again. */
const settledMs = 5_000;
/** Evapi wakes us; this finds what it did not tell of, and takes away the rows of what it told of first. */
const lookMs = 1_000;
/** Rows taken before other work has its turn: each costs a commit or two, which a slow disk makes long. */
const rowsAtOnce = 50;
const takingMsMax = 25;
/** Reports from evapi that wait while older ones come out of the spool. */
const waitingMax = 1_000;
/** Reports known by their uid, so that the second way of each is seen as such. */
const knownMax = 20_000;
const lateMs = 5_000;

type Taken = 'taken' | 'double' | 'dead' | 'not_kept';

export class SwitchEvents {
  readonly #options: SwitchEventsOptions;
  readonly #spool: SwitchSpool;
  readonly #dead: DeadReportStore;
  readonly #reports;
  readonly #handlers: Parameters<Switch['on']>[0][] = [];
  readonly #upHandlers: Parameters<Switch['onUp']>[0][] = [];
  readonly #known = new Set<string>();
  #waiting: string[] = [];
  #socket: Socket | undefined;
  #isUp = false;
  #isStopped = false;
  #reconnectMs = reconnectMsFirst;
  #toldProblem: string | undefined;
  #reconnect: NodeJS.Timeout | undefined;
  #look: NodeJS.Timeout | undefined;
  #next: NodeJS.Immediate | undefined;

  constructor(options: SwitchEventsOptions) {
    this.#options = options;
    this.#spool = new SwitchSpool(join(options.spool, 'events.sqlite'));
    this.#dead = new DeadReportStore(options.db);
    this.#reports = options.metrics.counter('reports_total', 'Reports of the SIP server by outcome', [
      'outcome',
    ]);
  }

  on(hear: Parameters<Switch['on']>[0]): void {
    this.#handlers.push(hear);
  }

  onUp(hear: Parameters<Switch['onUp']>[0]): void {
    this.#upHandlers.push(hear);
  }

  /** Whether evapi is connected. */
  isUp(): boolean {
    return this.#isUp;
  }

  /** Without the spool nothing is lost while this service runs. */
  check(): InternalHeartbeat['checks'][number] {
    const problem = this.#spool.problem();
    const isFine = problem === undefined || problem.kind === 'busy';
    return {
      name: 'reports',
      state: isFine ? 'ok' : 'degraded',
      detail: isFine ? 'spool is read' : `spool is ${problem.kind}: ${problem.detail}`.slice(0, 300),
    };
  }

  start(): void {
    this.#drain();
    this.#look = setInterval(() => this.#drain(), lookMs);
    this.#connect();
  }

  stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#look);
    clearTimeout(this.#reconnect);
    clearImmediate(this.#next);
    this.#socket?.destroy();
    this.#spool.close();
    return Promise.resolve();
  }

  #connect(): void {
    const { address, clock, log } = this.#options;
    const colon = address.lastIndexOf(':');
    const socket = connect({ host: address.slice(0, colon), port: Number(address.slice(colon + 1)) });
    this.#socket = socket;
    const reader = new NetstringReader();
    let connectedAt = Infinity;
    socket.on('connect', () => {
      connectedAt = clock.monotonic();
      this.#isUp = true;
      log.info('switch_heard', { address });
      for (const hear of this.#upHandlers) hear();
      this.#drain();
    });
    socket.on('data', (bytes) => {
      try {
        this.#hear(reader.read(bytes));
      } catch (error) {
        log.error('switch_unreadable', { error });
        socket.destroy();
      }
    });
    // `close` follows and says it; without a listener the process would end.
    socket.on('error', (error) => log.debug('switch_connection', { error }));
    socket.on('close', () => {
      if (this.#isUp) log.warn('switch_lost', { address });
      this.#isUp = false;
      if (this.#isStopped) return;
      if (clock.monotonic() - connectedAt > settledMs) this.#reconnectMs = reconnectMsFirst;
      this.#reconnect = setTimeout(() => this.#connect(), this.#reconnectMs);
      this.#reconnectMs = Math.min(this.#reconnectMs * 2, reconnectMsMax);
    });
  }

  #hear(bodies: readonly string[]): void {
    if (bodies.length === 0) return;
    this.#waiting.push(...bodies);
    this.#drain();
    // More than may wait: out of order is better than lost.
    for (const body of this.#waiting.splice(0, Math.max(0, this.#waiting.length - waitingMax)))
      this.#take(body);
  }

  /** First what lies in the spool, oldest first; then what evapi told and the spool does not hold. */
  #drain(): void {
    if (this.#isStopped || this.#next !== undefined) return;
    const rows = this.#spool.read(rowsAtOnce);
    this.#tellSpool();
    const { done, isMore } = this.#takeRows(rows);
    this.#spool.remove(done);
    if (isMore) {
      this.#next = setImmediate(() => {
        this.#next = undefined;
        this.#drain();
      });
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const body of waiting) this.#take(body);
  }

  #takeRows(rows: readonly SpoolRow[]): { done: number[]; isMore: boolean } {
    const { clock } = this.#options;
    const startMs = clock.monotonic();
    const done: number[] = [];
    for (const { id, body } of rows) {
      // Our own disk is in trouble: the next look tries again.
      if (this.#take(body) === 'not_kept') return { done, isMore: false };
      done.push(id);
      if (clock.monotonic() - startMs > takingMsMax) break;
    }
    return { done, isMore: done.length < rows.length || rows.length === rowsAtOnce };
  }

  #take(body: string): Taken {
    const outcome = this.#judge(body);
    this.#reports.inc({ outcome });
    return outcome;
  }

  #judge(body: string): Taken {
    const { clock, log } = this.#options;
    const read = readReport(body);
    if ('problem' in read) return this.#bury(body, read.problem);
    const { event } = read;
    if (this.#known.has(event.uid)) return 'double';
    const isLate = clock.now() - event.at_ms > lateMs;
    let failed: string | undefined;
    for (const hear of this.#handlers) {
      try {
        hear(event, isLate);
      } catch (error) {
        log.error('report_failed', { error, kind: event.kind, uid: event.uid });
        failed ??= error instanceof Error ? error.message : 'no reason given';
      }
    }
    if (failed !== undefined) {
      const buried = this.#bury(body, `failed: ${failed}`);
      if (buried === 'not_kept') return buried;
    }
    this.#remember(event.uid);
    return failed === undefined ? 'taken' : 'dead';
  }

  #bury(body: string, reason: string): Taken {
    const { clock, log } = this.#options;
    try {
      if (this.#dead.add(body, reason, clock.now())) log.warn('report_dead', { reason });
      return 'dead';
    } catch (error) {
      // Our own disk is in trouble: the report stays in the spool.
      log.error('report_not_kept', { error });
      return 'not_kept';
    }
  }

  #remember(uid: string): void {
    this.#known.add(uid);
    if (this.#known.size <= knownMax) return;
    const [oldest] = this.#known;
    if (oldest !== undefined) this.#known.delete(oldest);
  }

  /** Once for each change, not once for each look. */
  #tellSpool(): void {
    const problem = this.#spool.problem();
    if (problem?.kind === 'busy' || problem?.detail === this.#toldProblem) return;
    this.#toldProblem = problem?.detail;
    if (problem) this.#options.log.warn('spool_unusable', problem);
    else this.#options.log.info('spool_usable');
  }
}

/** The parts of a report that do not fit, in words; its text may hold names and numbers, so it is not repeated. */
function readReport(body: string): { event: SwitchEvent } | { problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { problem: 'not JSON' };
  }
  const read = SwitchEvent.safeParse(value);
  if (read.success) return { event: read.data };
  const issues = read.error.issues.slice(0, 5);
  return { problem: issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ') };
}
