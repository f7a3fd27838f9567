/**
 * The way of a frame: judged, stored raw, its events stored, committed by core, answered.
 * What must stay true: no ACK for an event before core's commit; nothing in here throws at a transport, whatever the
 * bytes; frames that arrive in one turn of the loop are stored in one transaction.
 */
import type { Clock, Logger, Random, Sqlite } from '@siphera/runtime';
import type { Transport } from '../domain/account.ts';
import { judge } from '../domain/judge.ts';
import type { AccountStore } from '../store/account.store.ts';
import type { FrameStore, Verdict } from '../store/frame.store.ts';
import type { MessageStore } from '../store/message.store.ts';
import type { CorePump, QueuedRow, Settled } from './core-pump.ts';
import type { PanelMetrics } from './panel-metrics.ts';
import { Verdicts, type Decision } from './verdicts.ts';
import { Waiters } from './waiters.ts';

export type Incoming = { bytes: Buffer; transport: Transport; address: string };

/** Frames between their arrival and their answer. Above it a frame gets none, and its panel sends it again. */
const openFramesMax = 5_000;
/** Frames in one transaction. */
const batchFramesMax = 500;
/** What core has answered is written with the next frames, or after this: it is only our note, its panel has its ACK. */
const settleMsMax = 50;
/** After a write that failed, e.g. on a full disk, what is still to be noted is tried again this much later. */
const storeRetryMs = 1_000;
/** Bad frames stored per second: a flood of garbage is counted, not written down. */
const badStoredPerSecond = 20;
const pruneEveryMs = 10_000;

type Arrival = Incoming & { at: number; resolve: (answer: Buffer | undefined) => void };
type Taken = Decision & { frameId: number };
type Written = { settled: Settled; heardBy: ReadonlySet<number> };

export type IntakeParts = {
  db: Sqlite;
  accounts: AccountStore;
  frames: FrameStore;
  messages: MessageStore;
  clock: Clock;
  random: Random;
  log: Logger;
  metrics: PanelMetrics;
};

export class Intake {
  readonly #parts: IntakeParts;
  readonly #waiters: Waiters;
  readonly #verdicts: Verdicts;
  #pump: Pick<CorePump, 'add' | 'isReachable'> | undefined;
  #arrivals: Arrival[] = [];
  #settled: Written[] = [];
  #expired: number[] = [];
  #scheduled = false;
  #settling: NodeJS.Timeout | undefined;
  #closed = false;
  #storing = true;
  #prunedMs = 0;
  #badTokens = badStoredPerSecond;
  #badTokensMs = 0;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
    this.#waiters = new Waiters(parts.clock);
    this.#verdicts = new Verdicts({ ...parts, coreReachable: () => this.#pump?.isReachable() ?? false });
  }

  /** Joined after both exist: the pump reports to `settle`. */
  usePump(pump: Pick<CorePump, 'add' | 'isReachable'>): void {
    this.#pump = pump;
  }

  /** Whether the last batch could be stored. */
  isStoring(): boolean {
    return this.#storing;
  }

  /** Takes one frame. Resolves with the bytes to send back, or with undefined for silence. Never rejects. */
  receive(incoming: Incoming): Promise<Buffer | undefined> {
    if (this.#arrivals.length + this.#waiters.size >= openFramesMax) {
      this.#count('silent', 'overloaded', incoming.transport);
      return Promise.resolve(undefined);
    }
    return new Promise((resolve) => {
      this.#arrivals.push({ ...incoming, at: this.#parts.clock.monotonic(), resolve });
      this.#schedule();
    });
  }

  /** Core has answered for these. Their panels are answered at once; the file learns of it with the next batch. */
  settle(settled: Settled[]): void {
    for (const one of settled) {
      this.#settled.push({ settled: one, heardBy: this.#waiters.answer(one.row.event_id, one.outcome) });
    }
    this.#settling ??= setTimeout(() => this.#schedule(), settleMsMax);
  }

  /** Gives up on answers that come too late. Called every second. */
  expire(): void {
    const expired = this.#waiters.expire();
    if (expired.length === 0) return;
    for (const { transport } of expired) this.#count('silent', 'core_away', transport);
    this.#expired.push(...expired.map((waiter) => waiter.frameId));
    this.#schedule();
  }

  /** Stores events of our own making together with what they tell of, and hands them to the pump. */
  record(change: () => QueuedRow[]): void {
    this.#pump?.add(this.#parts.db.transaction(change).immediate());
  }

  /** At the end: writes what core has answered and the file does not know yet. */
  drain(): void {
    this.#closed = true;
    this.#flush();
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (!this.#closed) this.#flush();
    });
  }

  #flush(): void {
    clearTimeout(this.#settling);
    this.#settling = undefined;
    const batch = this.#arrivals.splice(0, batchFramesMax);
    const settled = this.#settled.splice(0);
    const expired = this.#expired.splice(0);
    const nowMs = this.#parts.clock.now();
    this.#verdicts.begin();
    let rows: QueuedRow[] = [];
    let taken: Taken[];
    try {
      taken = this.#parts.db
        .transaction(() => {
          for (const one of settled) this.#writeSettled(one, nowMs);
          for (const frameId of expired) this.#parts.frames.settle(frameId, 'silent', 'core_away');
          const decided = batch.map((arrival) => this.#takeIn(arrival, nowMs));
          rows = this.#verdicts.finish(nowMs);
          if (nowMs - this.#prunedMs >= pruneEveryMs) this.#prune(nowMs);
          return decided;
        })
        .immediate();
    } catch (error) {
      this.#storeFailed(error, batch, settled);
      return;
    }
    this.#storing = true;
    // Who waits is noted before the pump may answer.
    taken.forEach((one, index) => this.#conclude(batch[index], one));
    this.#pump?.add(rows);
    if (this.#arrivals.length > 0) this.#schedule();
  }

  /** A full or broken disk: nobody is answered, so every panel keeps its message; core's verdicts are written later. */
  #storeFailed(error: unknown, batch: Arrival[], settled: Written[]): void {
    this.#parts.log.error('frames_not_stored', { error, frames: batch.length });
    this.#parts.metrics.storeFailures.inc();
    this.#parts.accounts.reload();
    this.#settled.unshift(...settled);
    this.#storing = false;
    this.#settling ??= setTimeout(() => this.#schedule(), storeRetryMs);
    for (const arrival of batch) {
      this.#count('silent', 'not_stored', arrival.transport);
      arrival.resolve(undefined);
    }
  }

  /** Judges and stores one frame. Runs inside the transaction of its batch. */
  #takeIn({ bytes, transport, address }: Arrival, nowMs: number): Taken {
    const { accounts, frames } = this.#parts;
    const judgement = judge(bytes, (account) => accounts.find(account), nowMs);
    const account = judgement.kind === 'message' ? judgement.message.account : judgement.account;
    const bad = judgement.kind === 'bad';
    const frameId =
      bad && !this.#mayStoreBad(nowMs)
        ? 0
        : frames.insert({
            received_ms: nowMs,
            transport,
            address,
            account: account ?? null,
            raw: bytes,
            verdict: bad ? 'silent' : 'pending',
            reason: bad ? judgement.reason : 'waiting_for_core',
          });
    const decision = this.#verdicts.decide(judgement, { frameId, transport, address, nowMs });
    if (!bad && decision.waitFor === undefined) frames.settle(frameId, decision.verdict, decision.reason);
    return { ...decision, frameId };
  }

  #conclude(arrival: Arrival | undefined, taken: Taken): void {
    if (!arrival) return;
    if (taken.waitFor === undefined) {
      if (taken.verdict === 'ack') this.#acknowledge(arrival, taken);
      else {
        this.#count(taken.verdict, taken.reason, arrival.transport);
        arrival.resolve(taken.answer?.());
      }
      return;
    }
    this.#waiters.add(taken.waitFor, {
      frameId: taken.frameId,
      transport: arrival.transport,
      resolve: (outcome) => {
        if (outcome === 'committed') this.#acknowledge(arrival, taken);
        else arrival.resolve(undefined);
      },
    });
  }

  #acknowledge(arrival: Arrival, taken: Taken): void {
    const { clock, metrics } = this.#parts;
    this.#count('ack', taken.reason, arrival.transport);
    arrival.resolve(taken.answer?.());
    metrics.ackSeconds.observe((clock.monotonic() - arrival.at) / 1_000);
  }

  #writeSettled({ settled: { row, outcome }, heardBy }: Written, nowMs: number): void {
    const { messages, frames } = this.#parts;
    messages.settle(row, heardBy.size > 0, nowMs);
    if (row.frame_id !== null && !heardBy.has(row.frame_id)) {
      frames.settle(row.frame_id, 'silent', outcome === 'committed' ? 'committed_late' : 'refused_by_core');
    }
    for (const frameId of heardBy) {
      if (outcome === 'refused') frames.settle(frameId, 'silent', 'refused_by_core');
      else frames.settle(frameId, 'ack', frameId === row.frame_id ? 'committed' : 'again');
    }
  }

  #count(verdict: Verdict, reason: string, transport: Transport): void {
    this.#parts.metrics.frames.inc({ verdict, reason, transport });
  }

  #mayStoreBad(nowMs: number): boolean {
    const refill = (Math.max(0, nowMs - this.#badTokensMs) / 1_000) * badStoredPerSecond;
    this.#badTokens = Math.min(badStoredPerSecond, this.#badTokens + refill);
    this.#badTokensMs = nowMs;
    if (this.#badTokens < 1) return false;
    this.#badTokens -= 1;
    return true;
  }

  #prune(nowMs: number): void {
    this.#prunedMs = nowMs;
    this.#parts.frames.prune();
    this.#parts.messages.prune(nowMs);
    this.#parts.metrics.outbox.set(this.#parts.messages.waitingCount());
  }
}
