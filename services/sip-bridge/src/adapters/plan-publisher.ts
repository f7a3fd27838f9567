/**
 * Brings the tables of all parts to Kamailio: gathered, written as one file, loaded by RPC. What must stay true: a part that cannot say its
 * share leaves all as it was, and it is told; a Kamailio that is down takes the files when it starts, and is asked again until it
 * says that it works with them. What did not change is not loaded again: a trunk that is told to register anew drops nothing, but
 * it asks its provider.
 */
import { AppError, type Clock, type Logger } from '@siphera/runtime';
import { doubling } from '../domain/backoff.ts';
import {
  changedSections,
  digestsOf,
  mergePlan,
  type PlanDigests,
  type PlanSection,
} from '../domain/plan-merge.ts';
import type { SwitchTables } from '../domain/switch-tables.ts';
import type { Publisher, Switch } from '../ground.ts';
import { PlanFiles, type WrittenPlan } from './plan-file.ts';

/** Changes of one moment (a form that saves three things, a list of people that came) go together. */
const debounceMs = 50;
/** A Kamailio that restarts is back within seconds; one that refuses says the same thing again. */
const retry = { firstMs: 500, maxMs: 30_000 };

type Waiter = { resolve: () => void; reject: (error: unknown) => void };
type Options = { directory: string; kamailio: Pick<Switch, 'rpc'>; clock: Clock; log: Logger };

export class PlanPublisher implements Publisher {
  readonly #kamailio: Options['kamailio'];
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #files: PlanFiles;
  readonly #contributions: (() => Partial<SwitchTables>)[] = [];
  #written: WrittenPlan | undefined;
  /** What Kamailio said it works with; nothing is known of the time before we started. */
  #applied: PlanDigests = {};
  #waiters: Waiter[] = [];
  #error: string | undefined;
  #isApplied = false;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #running = false;
  #again = false;
  #stopped = false;

  constructor({ directory, kamailio, clock, log }: Options) {
    this.#kamailio = kamailio;
    this.#clock = clock;
    this.#log = log;
    this.#files = new PlanFiles(directory);
    this.#written = this.#files.read();
    // Everything is loaded once more after our start but this: trunks would all register anew, which their providers count.
    if (this.#written && this.#files.appliedRevision() === this.#written.revision)
      this.#applied = Object.fromEntries(
        Object.entries(this.#written.digests).filter(([section]) => section.startsWith('uacreg ')),
      );
  }

  add(contribute: () => Partial<SwitchTables>): void {
    this.#contributions.push(contribute);
  }

  publish(): void {
    this.#isApplied = false;
    this.#soon(debounceMs);
  }

  published(): Promise<void> {
    if (this.#stopped) return Promise.reject(new AppError('unavailable', 'The bridge is stopping.'));
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#soon(0);
    });
  }

  state(): ReturnType<Publisher['state']> {
    return { revision: this.#written?.revision ?? 0, applied: this.#isApplied, error: this.#error };
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    for (const { reject } of this.#waiters.splice(0))
      reject(new AppError('unavailable', 'The bridge is stopping.'));
  }

  /** A later wish never waits for the retry of an earlier one. */
  #soon(ms: number): void {
    if (this.#stopped) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#run(), ms);
  }

  async #run(): Promise<void> {
    this.#running = true;
    this.#again = false;
    const waiters = this.#waiters.splice(0);
    try {
      await this.#pass();
      this.#worked();
      for (const { resolve } of waiters) resolve();
    } catch (error) {
      this.#failed(error);
      for (const { reject } of waiters) reject(error);
    }
    this.#running = false;
    if (this.#again) this.#soon(0);
    else if (this.#error !== undefined) this.#soon(doubling(this.#failures, retry));
  }

  /** @throws when a part cannot say its share, the disk takes nothing, or Kamailio is away or refuses. */
  async #pass(): Promise<void> {
    const started = this.#clock.monotonic();
    const plan = mergePlan(this.#contributions.map((contribute) => contribute()));
    const digests = digestsOf(plan);
    if (!this.#written || changedSections(this.#written.digests, digests).length > 0) {
      const written = { revision: (this.#written?.revision ?? 0) + 1, digests };
      this.#files.write(plan, written);
      this.#written = written;
    }
    const changed = changedSections(this.#applied, digests);
    for (const section of changed) await this.#load(section, digests[section]);
    if (changed.length === 0) return;
    this.#files.noteApplied(this.#written?.revision ?? 0);
    this.#log.info('plan_applied', {
      revision: this.#written?.revision,
      sections: changed.length,
      ms: Math.round(this.#clock.monotonic() - started),
    });
  }

  async #load(section: PlanSection, digest: string | undefined): Promise<void> {
    try {
      await this.#kamailio.rpc(...commandOf(section, digest !== undefined));
    } catch (error) {
      // What is to go is gone: after a restart Kamailio knows the trunks of the file alone.
      if (digest !== undefined || !(error instanceof AppError) || error.code !== 'unprocessable') throw error;
    }
    const { [section]: _before, ...others } = this.#applied;
    this.#applied = digest === undefined ? others : { ...others, [section]: digest };
  }

  #worked(): void {
    this.#failures = 0;
    this.#error = undefined;
    // Somebody asked while it was loaded: it may be old already.
    this.#isApplied = !this.#again;
  }

  #failed(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    if (text !== this.#error) this.#log.warn('plan_not_applied', { error });
    this.#failures += 1;
    this.#error = text;
    this.#isApplied = false;
  }
}

function commandOf(section: PlanSection, isThere: boolean): [method: string, params?: string[]] {
  const [kind = '', name = ''] = section.split(' ');
  switch (kind) {
    case 'address':
      return ['permissions.addressReload'];
    case 'dispatcher':
      return ['dispatcher.reload'];
    case 'uacreg':
      return [isThere ? 'uac.reg_refresh' : 'uac.reg_remove', [name]];
    default:
      return ['htable.reload', [name]];
  }
}
