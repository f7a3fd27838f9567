/** How trunks are: whether they answer OPTIONS of Kamailio and whether we are registered there. A loss is told to core, once. */
import { AppError, toRfc3339, type Clock, type CoreOutbox, type Logger, type Sqlite } from '@siphera/runtime';
import type { TrunkView } from '@siphera/contract';
import { trunkEvent } from '../domain/phone-event.ts';
import { destinationsOf, registrationsOf, type Destination } from '../domain/switch-dumps.ts';
import type { PlanBook, PlannedTrunk } from '../plan.part.ts';
import type { Switch } from '../ground.ts';
import type { TrunkStore } from '../store/trunk.store.ts';
import { PlanTicker } from './plan-ticker.ts';

const lookEveryMs = 10_000;
/** A registration that is made anew, or a plan that is loaded, is away for a moment; within this it is there or something is wrong. */
const settlingMsMax = 60_000;

type State = TrunkView['state'];
type Known = Pick<State, 'reachable' | 'registered' | 'detail'> & { sinceMs: number; hasWay: boolean };
const unknown: State = { reachable: null, registered: null, detail: 'Not known yet', since: null };

type Options = {
  db: Sqlite;
  store: TrunkStore;
  book: Pick<PlanBook, 'trunks'>;
  kamailio: Switch;
  outbox: CoreOutbox;
  clock: Clock;
  log: Logger;
};

export class PlanTrunkWatch {
  readonly #options: Options;
  readonly #ticker: PlanTicker;
  readonly #known = new Map<string, Known>();

  constructor(options: Options) {
    this.#options = options;
    this.#ticker = new PlanTicker({
      name: 'trunks',
      everyMs: lookEveryMs,
      look: () => this.look(),
      log: options.log,
    });
    options.kamailio.on((event) => {
      if (event.kind === 'trunk') this.#ticker.poke();
    });
  }

  /** Also after a change of trunks. */
  soon(): void {
    this.#ticker.poke();
  }

  stop(): Promise<void> {
    return this.#ticker.stop();
  }

  state(trunk: Pick<PlannedTrunk, 'id' | 'enabled'>): State {
    if (!trunk.enabled) return { ...unknown, detail: 'Switched off' };
    const known = this.#known.get(trunk.id);
    if (!known) return unknown;
    const { reachable, registered, detail, sinceMs } = known;
    return { reachable, registered, detail, since: toRfc3339(sinceMs) };
  }

  /** @throws when Kamailio is away: then nothing is known of any, and nothing is told. */
  async look(): Promise<void> {
    const { kamailio, book, db } = this.#options;
    const trunks = book.trunks();
    for (const id of this.#known.keys()) if (!trunks.some((trunk) => trunk.id === id)) this.#known.delete(id);
    if (trunks.length === 0) return;
    let destinations: Destination[];
    let registrations: Map<string, boolean>;
    try {
      destinations = await listDestinations(kamailio);
      registrations = registrationsOf(await kamailio.rpc('uac.reg_dump'));
    } catch (error) {
      this.#known.clear();
      throw error;
    }
    db.transaction(() => {
      for (const trunk of trunks) {
        const known = this.#note(trunk, destinations, registrations.get(trunk.id) ?? false);
        this.#tell(trunk, known);
      }
    }).immediate();
  }

  #note(trunk: PlannedTrunk, all: readonly Destination[], isRegistered: boolean): Known {
    const own = all.filter((one) => one.trunk === trunk.id);
    const probed = own.filter((one) => one.isProbed || !one.isUp);
    const reachable = probed.length === 0 ? null : probed.some(({ isUp }) => isUp);
    const registered = trunk.kind === 'register' && trunk.enabled ? isRegistered : null;
    const before = this.#known.get(trunk.id);
    const isSame = before?.reachable === reachable && before.registered === registered;
    const known = {
      hasWay: own.length > 0,
      reachable,
      registered,
      detail: detailOf(own, reachable, registered),
      sinceMs: isSame ? before.sinceMs : this.#options.clock.now(),
    };
    this.#known.set(trunk.id, known);
    return known;
  }

  /** Called in a transaction. */
  #tell(trunk: PlannedTrunk, known: Known): void {
    const { store, outbox, clock, log } = this.#options;
    const atMs = clock.now();
    const lostMs = store.lostSince(trunk.id);
    const isStuck = (known.registered === false || !known.hasWay) && atMs - known.sinceMs > settlingMsMax;
    if (trunk.enabled && lostMs === undefined && (known.reachable === false || isStuck)) {
      log.warn('trunk_lost', { trunk: trunk.id, reason: known.detail });
      store.setLost(trunk.id, atMs);
      outbox.event(trunkEvent(trunk, 'phone.trunk_lost', { sinceMs: atMs, reason: known.detail, atMs }));
    }
    if (lostMs === undefined) return;
    const isBack = known.reachable === true && known.registered !== false;
    if (!isBack && trunk.enabled) return;
    log.info('trunk_restored', { trunk: trunk.id });
    store.setFound(trunk.id);
    const reason = trunk.enabled ? known.detail : 'It was switched off';
    outbox.event(trunkEvent(trunk, 'phone.trunk_restored', { sinceMs: lostMs, reason, atMs }));
  }
}

async function listDestinations(kamailio: Pick<Switch, 'rpc'>): Promise<Destination[]> {
  try {
    return destinationsOf(await kamailio.rpc('dispatcher.list'));
  } catch (error) {
    // So it says when there are none.
    if (error instanceof AppError && error.code === 'unprocessable') return [];
    throw error;
  }
}

function detailOf(
  own: readonly Destination[],
  reachable: boolean | null,
  registered: boolean | null,
): string {
  const silent = [...new Set(own.filter(({ isUp }) => !isUp).map(({ uri }) => uri))];
  const words = [
    own.length === 0
      ? 'The SIP server has no way there: its name has no address'
      : reachable === null
        ? 'Was not asked yet'
        : reachable
          ? 'Answers'
          : 'Does not answer OPTIONS',
    ...(reachable !== false && silent.length > 0 ? [`but not at ${silent.join(', ')}`] : []),
    ...(registered === null ? [] : [registered ? 'we are registered' : 'we are not registered']),
  ];
  return words.join('; ');
}
