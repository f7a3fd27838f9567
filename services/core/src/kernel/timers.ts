/** Timers are rows: they fire once, in order of their due time, also after a restart, each in a transaction of its own. */
import type { Clock, Logger, Sqlite } from '@siphera/runtime/base';
import type { Tx } from './transaction.ts';
import { isStorageFailure, type Writer } from './writer.ts';

export type TimerOwner = 'rules' | 'commands' | 'escalation';
export type Timer = { owner: TimerOwner; key: string; org_id: string; due_ms: number; payload: string };
export type TimerHandler = (tx: Tx, timer: Timer) => void;

/** Longest sleep, so that a clock that was set forward is noticed. */
const sleepMsMax = 1_000;
const timersPerTurn = 100;
/** While nothing can be stored, the due ones are tried again this often. */
const retryMs = 1_000;

export function setTimer(
  tx: Tx,
  timer: { owner: TimerOwner; key: string; orgId: string; dueMs: number; payload?: unknown },
): void {
  tx.db
    .prepare(
      `INSERT INTO timers (owner, key, org_id, due_ms, payload) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (owner, key) DO UPDATE SET due_ms = excluded.due_ms, payload = excluded.payload`,
    )
    .run(timer.owner, timer.key, timer.orgId, timer.dueMs, JSON.stringify(timer.payload ?? {}));
}

export function clearTimer(tx: Tx, owner: TimerOwner, key: string): void {
  tx.db.prepare('DELETE FROM timers WHERE owner = ? AND key = ?').run(owner, key);
}

export class TimerLoop {
  readonly #db: Sqlite;
  readonly #writer: Writer;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #handlers: Record<TimerOwner, TimerHandler>;
  #wake: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: {
    db: Sqlite;
    writer: Writer;
    clock: Clock;
    log: Logger;
    handlers: Record<TimerOwner, TimerHandler>;
  }) {
    this.#db = options.db;
    this.#writer = options.writer;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#handlers = options.handlers;
  }

  start(): void {
    void this.#turn();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#wake);
  }

  async #turn(): Promise<void> {
    const due = this.#db
      .prepare<[number, number], Timer>(
        'SELECT owner, key, org_id, due_ms, payload FROM timers WHERE due_ms <= ? ORDER BY due_ms LIMIT ?',
      )
      .all(this.#clock.now(), timersPerTurn);
    const fired = await Promise.all(due.map((timer) => this.#fire(timer)));
    if (this.#stopped) return;
    if (fired.includes(false)) {
      this.#wake = setTimeout(() => void this.#turn(), retryMs);
      return;
    }
    const next = this.#db
      .prepare<[], { due_ms: number | null }>('SELECT min(due_ms) AS due_ms FROM timers')
      .get()?.due_ms;
    const waitMs =
      next === null || next === undefined
        ? sleepMsMax
        : Math.min(Math.max(next - this.#clock.now(), 0), sleepMsMax);
    this.#wake = setTimeout(() => void this.#turn(), due.length === timersPerTurn ? 0 : waitMs);
  }

  /** @returns false when it could not be stored and is still due: a full queue or disk must not cost anybody an alarm. */
  async #fire(timer: Timer): Promise<boolean> {
    let handlerFailed = false;
    try {
      await this.#writer.submit((tx) => {
        // It may have been moved or cleared by a job that committed in between.
        const taken = tx.db
          .prepare('DELETE FROM timers WHERE owner = ? AND key = ? AND due_ms = ?')
          .run(timer.owner, timer.key, timer.due_ms);
        if (taken.changes !== 1) return;
        try {
          this.#handlers[timer.owner](tx, timer);
        } catch (error) {
          handlerFailed = !isStorageFailure(error);
          throw error;
        }
      });
      return true;
    } catch (error) {
      if (!handlerFailed) return false;
      // A timer whose handler fails would fail again each second for ever: it is taken off, loudly.
      this.#log.error('timer_failed', { error, owner: timer.owner, timer: timer.key });
      return this.#takeOff(timer);
    }
  }

  #takeOff(timer: Timer): Promise<boolean> {
    return this.#writer
      .submit((tx) => clearTimer(tx, timer.owner, timer.key))
      .then(
        () => true,
        () => false,
      );
  }
}
