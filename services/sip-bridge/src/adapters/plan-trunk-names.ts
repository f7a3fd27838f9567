/**
 * Addresses of the host names of trunks: calls of a trunk are known by them, and calls to it go to them. What must stay true: a name server
 * that is gone or answers nothing takes nothing away, so that a call for help never waits for one.
 */
import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Logger } from '@siphera/runtime';
import type { PlanBook, PlannedTrunk } from '../plan.part.ts';
import type { TrunkStore } from '../store/trunk.store.ts';
import { PlanTicker } from './plan-ticker.ts';

const lookEveryMs = 600_000;
/** Of one name. */
const addressesMax = 16;

/** @throws when the name server says nothing or that there is no such name. */
export type Resolve = (host: string) => Promise<string[]>;

export const resolveByDns: Resolve = async (host) => {
  const resolver = new Resolver({ timeout: 2_000, tries: 2 });
  const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  const [first] = answers;
  if (found.length === 0 && first.status === 'rejected') throw first.reason;
  return found;
};

export const bareHost = (host: string): string => host.replaceAll(/[[\]]/g, '');

export class PlanTrunkNames {
  readonly #store: TrunkStore;
  readonly #book: Pick<PlanBook, 'trunks'>;
  readonly #resolve: Resolve;
  readonly #log: Logger;
  readonly #onChange: () => void;
  readonly #ticker: PlanTicker;

  constructor(options: {
    store: TrunkStore;
    book: Pick<PlanBook, 'trunks'>;
    resolve: Resolve;
    log: Logger;
    onChange: () => void;
  }) {
    this.#store = options.store;
    this.#book = options.book;
    this.#resolve = options.resolve;
    this.#log = options.log;
    this.#onChange = options.onChange;
    this.#ticker = new PlanTicker({
      name: 'names of trunks',
      everyMs: lookEveryMs,
      look: () => this.#look(),
      log: options.log,
    });
  }

  /** After a change of trunks, too. */
  look(): void {
    this.#ticker.poke();
  }

  stop(): Promise<void> {
    return this.#ticker.stop();
  }

  async #look(): Promise<void> {
    const named = this.#book.trunks().filter(({ enabled, host }) => enabled && isIP(bareHost(host)) === 0);
    const changed = await Promise.all(named.map((trunk) => this.#lookUp(trunk)));
    if (changed.includes(true)) this.#onChange();
  }

  async #lookUp({ id, host }: PlannedTrunk): Promise<boolean> {
    let found: string[];
    try {
      found = await this.#resolve(host);
    } catch (error) {
      this.#log.warn('trunk_name_not_resolved', { trunk: id, host, error });
      return false;
    }
    // In one order, whatever the order of the answer: a plan that only looks different is loaded for nothing.
    const addresses = [...new Set(found)]
      .filter((address) => isIP(address) !== 0)
      .sort()
      .slice(0, addressesMax);
    const before = this.#store.addresses(id, host);
    if (addresses.length === 0 || addresses.join() === before.join()) return false;
    // It may have been removed while the name server was asked.
    if (!this.#book.trunks().some((trunk) => trunk.id === id && trunk.host === host)) return false;
    this.#store.setAddresses(id, host, addresses);
    return true;
  }
}
