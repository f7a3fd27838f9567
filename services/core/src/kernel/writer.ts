/**
 * The one writer. Jobs that arrive in one turn of the event loop commit together: an event, its rule state, its incident
 * and its outbox row stand or fall in one transaction, and one fsync serves all of them. There is no timer in between,
 * so a lone job waits for nobody.
 *
 * Must stay true: a promise resolves only after the commit that holds its job; a job that throws undoes only itself.
 */
import { AppError, type Clock, type Logger, type Random, type Sqlite } from '@siphera/runtime/base';
import type { ChangeInput, Tx } from './transaction.ts';

/** Jobs in one commit: bounds how long a commit, and thus an acknowledgement, can take. */
const jobsPerCommitMax = 512;
/** Jobs waiting. Beyond it a caller is told to send again, instead of memory growing. */
const queueMax = 20_000;
/**
 * Corrections of a clock that keeps time are waited out, so that order by time is order of commits. A clock that goes back
 * further was wrong, and is believed at once: an hour that stands still would keep escalations from firing and let a door
 * command live for an hour.
 */
const waitedOutMsMax = 2_000;

type Job = { run: (tx: Tx) => unknown; resolve: (value: unknown) => void; reject: (error: unknown) => void };
type Outcome = { ok: true; value: unknown } | { ok: false; error: unknown };

export type WriterOptions = {
  db: Sqlite;
  clock: Clock;
  random: Random;
  log: Logger;
  /** Called after each commit with the newest feed position. */
  onCommit(seq: number): void;
  /** Called when anything was rolled back, so that caches of rows can be dropped. */
  onRollback(): void;
};

/** Thrown by a job that only wanted to see what would happen: all it did is undone, and `value` is its answer. */
export class Undone extends Error {
  readonly value: unknown;
  constructor(value: unknown) {
    super('undone');
    this.value = value;
  }
}

export class Writer {
  readonly #options: WriterOptions;
  readonly #statements;
  #queue: Job[] = [];
  #scheduled = false;
  #seq: number;
  #savedSeq: number;
  #nowMs = 0;
  /** Time of the newest commit that went through. */
  #committedMs = 0;
  #failing: string | undefined;
  #closed = false;

  constructor(options: WriterOptions) {
    this.#options = options;
    const { db } = options;
    this.#statements = {
      begin: db.prepare('BEGIN IMMEDIATE'),
      commit: db.prepare('COMMIT'),
      rollback: db.prepare('ROLLBACK'),
      savepoint: db.prepare('SAVEPOINT job'),
      release: db.prepare('RELEASE job'),
      undo: db.prepare('ROLLBACK TO job'),
      saveSeq: db.prepare(
        `INSERT INTO facts (name, value) VALUES ('feed_seq', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      ),
      moveTimers: db.prepare('UPDATE timers SET due_ms = due_ms - ?'),
      change: db.prepare(
        `INSERT INTO changes (seq, at_ms, kind, action, ref_id, org_id, audience, scopes, trace_id, data)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
    };
    this.#seq = readSeq(db);
    this.#savedSeq = this.#seq;
  }

  /** Newest committed feed position. */
  committedSeq(): number {
    return this.#savedSeq;
  }

  queued(): number {
    return this.#queue.length;
  }

  /** Why the last commit failed (disk full, I/O error); undefined while commits go through. */
  failure(): string | undefined {
    return this.#failing;
  }

  /** @throws what the job throws; AppError `overloaded` or `disk_full` when nothing was stored. */
  submit<T>(run: (tx: Tx) => T): Promise<T> {
    if (this.#closed) return Promise.reject(new AppError('unavailable', 'The box is shutting down.'));
    if (this.#queue.length >= queueMax)
      return Promise.reject(new AppError('overloaded', 'Too many writes are waiting.'));
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ run, resolve: resolve as (value: unknown) => void, reject });
      this.#schedule();
    });
  }

  /** Commits what waits and takes no more. */
  close(): void {
    this.#closed = true;
    while (this.#queue.length > 0) this.#flush();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
      if (this.#queue.length > 0) this.#schedule();
    });
  }

  #flush(): void {
    const jobs = this.#queue.splice(0, jobsPerCommitMax);
    if (jobs.length === 0) return;
    const hooks: Array<() => void> = [];
    let outcomes: Outcome[];
    try {
      outcomes = this.#commit(jobs, hooks);
    } catch (error) {
      this.#rollback(error, jobs);
      return;
    }
    this.#failing = undefined;
    for (const hook of hooks) this.#runHook(hook);
    this.#options.onCommit(this.#savedSeq);
    for (const [index, job] of jobs.entries()) {
      const outcome = outcomes[index];
      if (outcome?.ok) job.resolve(outcome.value);
      else job.reject(outcome?.error);
    }
  }

  #commit(jobs: readonly Job[], hooks: Array<() => void>): Outcome[] {
    const { begin, commit, saveSeq } = this.#statements;
    begin.run();
    this.#takeTime();
    const outcomes = jobs.map((job) => this.#runJob(job, hooks));
    if (this.#seq !== this.#savedSeq) saveSeq.run(String(this.#seq));
    commit.run();
    this.#savedSeq = this.#seq;
    this.#committedMs = this.#nowMs;
    return outcomes;
  }

  #takeTime(): void {
    const now = this.#options.clock.now();
    const backMs = this.#committedMs - now;
    this.#nowMs = backMs > waitedOutMsMax ? now : Math.max(now, this.#committedMs);
    if (backMs <= waitedOutMsMax) return;
    this.#options.log.warn('clock_set_back', { back_ms: backMs });
    // What was set by the wrong clock goes back with it. Part of the commit: undone and done again with it.
    this.#statements.moveTimers.run(backMs);
  }

  #runJob(job: Job, hooks: Array<() => void>): Outcome {
    const { savepoint, release, undo } = this.#statements;
    const mine: Array<() => void> = [];
    const seqBefore = this.#seq;
    savepoint.run();
    try {
      const value = job.run(this.#tx(mine));
      release.run();
      hooks.push(...mine);
      return { ok: true, value };
    } catch (error) {
      // A full disk ends the whole transaction by itself; then there is nothing left to undo job by job.
      if (!this.#options.db.inTransaction) throw error;
      undo.run();
      release.run();
      this.#seq = seqBefore;
      this.#options.onRollback();
      if (isStorageFailure(error)) throw error;
      return error instanceof Undone ? { ok: true, value: error.value } : { ok: false, error };
    }
  }

  #tx(hooks: Array<() => void>): Tx {
    const nowMs = this.#nowMs;
    return {
      db: this.#options.db,
      random: this.#options.random,
      nowMs,
      nextSeq: () => ++this.#seq,
      change: (input) => this.#change(input, nowMs),
      afterCommit: (hook) => hooks.push(hook),
    };
  }

  #change(input: ChangeInput, nowMs: number): number {
    const seq = ++this.#seq;
    const data = input.data === undefined ? null : JSON.stringify(input.data);
    this.#statements.change.run(
      seq,
      nowMs,
      input.kind,
      input.action,
      input.id,
      input.orgId,
      input.audience,
      JSON.stringify(input.scopes),
      input.traceId ?? null,
      data,
    );
    return seq;
  }

  #rollback(error: unknown, jobs: readonly Job[]): void {
    if (this.#options.db.inTransaction) this.#statements.rollback.run();
    this.#seq = this.#savedSeq;
    this.#options.onRollback();
    const code = (error as { code?: string }).code ?? 'unknown';
    if (this.#failing !== code) this.#options.log.error('commit_failed', { error, jobs: jobs.length });
    this.#failing = code;
    const told = isStorageFailure(error) ? refusal(code, error) : error;
    for (const job of jobs) job.reject(told);
  }

  #runHook(hook: () => void): void {
    try {
      hook();
    } catch (error) {
      this.#options.log.error('after_commit_failed', { error });
    }
  }
}

/** Full disk, I/O error, read-only file system, a lock held by somebody's tool: nothing can be stored, whoever asks. */
export function isStorageFailure(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return (
    typeof code === 'string' && /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|BUSY|LOCKED|PROTOCOL|NOMEM)/.test(code)
  );
}

/** True when nothing was stored for a reason that lies in no single job: the same is worth sending again. */
export const isWorthRepeating = (error: unknown): boolean =>
  error instanceof AppError &&
  (error.code === 'overloaded' || error.code === 'disk_full') &&
  (error.cause === undefined || isStorageFailure(error.cause));

function refusal(code: string, cause: unknown): AppError {
  return /^SQLITE_(BUSY|LOCKED|PROTOCOL|NOMEM)/.test(code)
    ? new AppError('overloaded', 'The database is held by another program; nothing of this was stored.', {
        hint: 'End the program that writes to the database of the box.',
        cause,
      })
    : new AppError('disk_full', 'The database could not be written; nothing of this was stored.', {
        hint: 'Free disk space on the data volume.',
        cause,
      });
}

function readSeq(db: Sqlite): number {
  const row = db.prepare<[], { value: string }>(`SELECT value FROM facts WHERE name = 'feed_seq'`).get();
  return row ? Number(row.value) : 0;
}
