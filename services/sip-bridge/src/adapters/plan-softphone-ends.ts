/**
 * Softphones of sessions that ended. What must stay true: a credential that Kamailio would still take is refused from then on, and what is
 * registered with it is gone. Kamailio keeps what it refuses in memory, so it is told again after its own restart. A call that is under way
 * goes on: it may be about help.
 */
import type { AccessClaims } from '@siphera/contract';
import type { Clock, Logger } from '@siphera/runtime';
import type { Switch } from '../ground.ts';
import type { Credential, SoftphoneStore } from '../store/softphone.store.ts';
import { isSoftphone, type PlanContacts } from './plan-contacts.ts';
import { PlanTicker } from './plan-ticker.ts';

/** It is told at once when it is heard again; should that fail, old credentials work for so long at most after its restart. */
const tellEveryMs = 15_000;

type Claims = Pick<AccessClaims, 'sid' | 'sub' | 'iat'>;
type Options = {
  store: SoftphoneStore;
  contacts: PlanContacts;
  kamailio: Pick<Switch, 'rpc'>;
  clock: Clock;
  log: Logger;
};

export class PlanSoftphoneEnds {
  readonly #options: Options;
  readonly #ticker: PlanTicker;
  /** Numbers whose registrations are to be removed: those of softphones, or all. */
  readonly #ending = new Map<string, 'softphones' | 'all'>();

  constructor(options: Options) {
    this.#options = options;
    this.#ticker = new PlanTicker({
      name: 'softphones that ended',
      everyMs: tellEveryMs,
      look: () => this.#tell(),
      log: options.log,
    });
  }

  start(): void {
    this.#ticker.poke();
  }

  /** Kamailio is heard again: it may have forgotten what it refuses. */
  tellAgain(): void {
    this.#ticker.poke();
  }

  stop(): Promise<void> {
    return this.#ticker.stop();
  }

  /** Ends what the sessions that are hit hold. */
  end(hits: (claims: Claims) => boolean): void {
    this.#endAll(({ sid, userId }) => hits({ sid, sub: userId, iat: 0 }));
  }

  /** The number is gone (`all`: desk phones too), or another's from now on. */
  endNumber(number: string, what: 'softphones' | 'all'): void {
    this.#endAll((credential) => credential.number === number);
    this.#ending.set(number, what);
    this.#ticker.poke();
  }

  /** Expiry that Kamailio refuses for a number, and all before it; 0: none. */
  refusedUntil(number: string): number {
    const { store } = this.#options;
    return store.revoked(this.#now()).find((one) => one.number === number)?.expiresSeconds ?? 0;
  }

  #endAll(isEnded: (credential: Credential) => boolean): void {
    const { store } = this.#options;
    for (const credential of store.valid(this.#now()).filter(isEnded)) {
      store.revoke(credential);
      if (!this.#ending.has(credential.number)) this.#ending.set(credential.number, 'softphones');
    }
    if (this.#ending.size > 0) this.#ticker.poke();
  }

  /** @throws when Kamailio is away: it is told at the next look. */
  async #tell(): Promise<void> {
    const { store, kamailio, contacts } = this.#options;
    store.forgetExpired(this.#now());
    for (const { number, expiresSeconds } of store.revoked(this.#now()))
      await kamailio.rpc('htable.seti', ['revoked', number, expiresSeconds]);
    if (this.#ending.size === 0) return;
    await contacts.read();
    for (const [number, what] of this.#ending) {
      for (const contact of contacts.of(number).filter((one) => what === 'all' || isSoftphone(one)))
        await kamailio.rpc('ul.rm_contact', ['location', number, contact.uri]);
      this.#ending.delete(number);
    }
    await contacts.read();
  }

  #now(): number {
    return Math.floor(this.#options.clock.now() / 1_000);
  }
}
