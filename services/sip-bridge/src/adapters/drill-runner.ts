/**
 * Drills: a call to the test PSAP from each location in turn, in the background. What must stay true: one at a time; only what
 * leads to the test PSAP is dialled, and only while no trunk for real help could get it; a result says what was seen.
 */
import { AppError, toRfc3339 } from '@siphera/runtime';
import type { Drill } from '@siphera/contract';
import type { CallOutcome, Caller as PhoneCaller } from '../alarm-calls.part.ts';
import { drillRefusal, drillResult } from '../domain/drill-steps.ts';
import type { FoldedCall } from '../domain/emergency-fold.ts';
import type { Location } from '../domain/location-row.ts';
import type { Ground } from '../ground.ts';
import type { PlanBook } from '../plan.part.ts';
import type { DrillRow, DrillStore } from '../store/drill.store.ts';
import type { EmergencyCalls } from './emergency-calls.ts';
import type { EmergencyPlaces } from './emergency-places.ts';

/** The number plan leads it to the test PSAP alone (mode `drill`). */
const drillNumber = '*911';
const ringMsMax = 30_000;
/** Long enough for both sides to have sent sound. */
const talkMsMax = 2_000;
/** Reports come within a second of the end of the call, out of the spool within two. */
const reportMsMax = 3_000;

type Options = {
  ground: Ground;
  book: PlanBook;
  places: EmergencyPlaces;
  calls: EmergencyCalls;
  caller: PhoneCaller;
  store: DrillStore;
};

export class DrillRunner {
  readonly #options: Options;
  #current: { id: string; abort: AbortController; done: Promise<void> } | undefined;

  constructor(options: Options) {
    this.#options = options;
  }

  /** A drill that a restart broke off is over: what it had seen stays. */
  start(): void {
    const { store, ground } = this.#options;
    const running = store.running();
    if (running) store.end(running.id, 'stopped', ground.clock.now());
  }

  /** @throws AppError when no drill can be, saying why. */
  async check(): Promise<void> {
    const { book, ground, store } = this.#options;
    const refusal = drillRefusal(book.trunks());
    if (refusal !== undefined)
      throw new AppError('unprocessable', refusal, {
        hint: 'Add a trunk with the use "drill" that leads to a test PSAP and nowhere else.',
      });
    if (store.running())
      throw new AppError('conflict', 'A drill is running already.', { hint: 'Wait for it, or stop it.' });
    if (!ground.kamailio.isUp())
      throw new AppError('unavailable', 'The SIP server is not heard: nobody could see how the drill goes.');
    // It has to work with the places and trunks that are set now.
    await ground.publisher.published();
    if (store.running()) throw new AppError('conflict', 'A drill is running already.');
  }

  /** In the background, from here on. Call `check` before. */
  run(drill: Omit<DrillRow, 'state' | 'ended_ms'>, also: () => void): void {
    const { store, ground } = this.#options;
    store.add(drill, also);
    const abort = new AbortController();
    const done = this.#work(drill, abort.signal)
      .then(() => store.end(drill.id, abort.signal.aborted ? 'stopped' : 'done', ground.clock.now()))
      .catch((error: unknown) => {
        ground.log.error('drill_failed', { error, drill: drill.id });
        store.end(drill.id, 'stopped', ground.clock.now());
      })
      .finally(() => {
        if (this.#current?.id === drill.id) this.#current = undefined;
      });
    this.#current = { id: drill.id, abort, done };
  }

  /** Resolves when the call that was under way is over. */
  async stopDrill(id: string): Promise<void> {
    if (this.#current?.id !== id) return;
    this.#current.abort.abort();
    await this.#current.done;
  }

  async stop(): Promise<void> {
    this.#current?.abort.abort();
    await this.#current?.done;
  }

  view(row: DrillRow): Drill {
    return {
      id: row.id,
      org_id: row.org_id,
      site_id: row.site_id,
      name: row.name,
      location_ids: row.location_ids,
      state: row.state,
      started_at: toRfc3339(row.started_ms),
      started_by: row.started_by,
      ended_at: row.ended_ms === null ? null : toRfc3339(row.ended_ms),
      total: row.location_ids.length,
      results: this.#options.store.results(row.id),
    };
  }

  async #work(drill: Pick<DrillRow, 'id' | 'location_ids'>, signal: AbortSignal): Promise<void> {
    const { book, ground, places, store } = this.#options;
    for (const [ordinal, id] of drill.location_ids.entries()) {
      const location = places.get(id);
      // Removed in the meantime: nobody can call from there.
      if (!location) continue;
      // A trunk may have become one for real help since the drill began.
      const refusal = drillRefusal(book.trunks());
      if (refusal !== undefined) throw new AppError('unprocessable', refusal);
      const { call, outcome } = await this.#drill(location, signal);
      if (signal.aborted) return;
      const result = drillResult({
        location,
        call,
        outcome,
        trunkName: call?.trunkId ? book.trunk(call.trunkId)?.name : undefined,
        trunks: book.trunks(),
      });
      store.addResult(drill.id, ordinal, result, ground.clock.now());
    }
  }

  async #drill(
    location: Location,
    signal: AbortSignal,
  ): Promise<{ call: FoldedCall | undefined; outcome: Pick<CallOutcome, 'code' | 'reason'> }> {
    let call: FoldedCall | undefined;
    const over = Promise.withResolvers<void>();
    // Somebody else's drill from another place has another location, or did not say it himself.
    const off = this.#options.calls.on((report, folded) => {
      if (folded.kind !== 'drill' || folded.locationBy !== 'caller' || folded.locationId !== location.id)
        return;
      call = folded;
      if (report.kind === 'emergency' && (folded.state === 'ended' || folded.state === 'failed'))
        over.resolve();
    });
    const timers: NodeJS.Timeout[] = [];
    const given = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => given.resolve(), { once: true });
    try {
      const outcome = await this.#call(location.id, signal);
      timers.push(setTimeout(given.resolve, reportMsMax));
      if (!signal.aborted) await Promise.race([over.promise, given.promise]);
      return { call, outcome };
    } finally {
      off();
      for (const timer of timers) clearTimeout(timer);
    }
  }

  async #call(locationId: string, signal: AbortSignal): Promise<Pick<CallOutcome, 'code' | 'reason'>> {
    try {
      return await this.#options.caller.call({
        to: drillNumber,
        ringMsMax,
        wav: undefined,
        talkMsMax,
        headers: { 'X-Siphera-Location': locationId },
        signal,
      });
    } catch (error) {
      this.#options.ground.log.warn('drill_call_failed', { error });
      return {
        code: undefined,
        reason: error instanceof Error ? error.message : 'the call could not be made',
      };
    }
  }
}
