/** What stands in the way of calls now: SIP server, media relays, who is shut out. */
import type { PhoneHealth } from '@siphera/contract';
import { AppError, toRfc3339, type Clock, type Random } from '@siphera/runtime';
import { keysOf } from '../domain/switch-dumps.ts';
import type { SwitchEvent } from '../domain/switch-event.ts';
import type { Publisher, Switch } from '../ground.ts';
import type { PlanBusy } from './plan-busy.ts';
import type { PlanContacts } from './plan-contacts.ts';
import { relayCalls } from './relay-calls.ts';

/** As compose/kamailio/tables.cfg lets an address in again. */
const bannedMs = 600_000;
/** Addresses shown, and remembered with their reason. A scanner with more of them is one for the firewall. */
const bannedMax = 500;

type Ban = { reason: string; untilMs: number };
type Options = {
  kamailio: Switch;
  publisher: Publisher;
  contacts: PlanContacts;
  busy: PlanBusy;
  relays: readonly (readonly [name: string, address: string])[];
  clock: Clock;
  random: Random;
};

export class PlanHealth {
  readonly #options: Options;
  /** Kamailio says that an address is shut out, its report said why. */
  readonly #bans = new Map<string, Ban>();

  constructor(options: Options) {
    this.#options = options;
  }

  hear(event: SwitchEvent): void {
    if (event.kind !== 'shut_out' || event.banned_s === undefined) return;
    this.#bans.delete(event.source);
    this.#bans.set(event.source, { reason: event.reason, untilMs: event.at_ms + event.banned_s * 1_000 });
    if (this.#bans.size > bannedMax) this.#bans.delete(this.#bans.keys().next().value ?? '');
  }

  async read(): Promise<PhoneHealth> {
    const { kamailio, publisher, contacts, busy } = this.#options;
    const [relays, banned] = await Promise.all([this.#relays(), this.#banned()]);
    const plan = publisher.state();
    return {
      sip: kamailio.isUp() && banned !== undefined,
      relays,
      registered: contacts.registered().size,
      calls: busy.count(),
      banned: banned ?? [],
      plan_revision: plan.revision,
      plan_applied: plan.applied,
    };
  }

  /** Lets an address in again. @throws AppError `unavailable` when Kamailio is away. */
  async lift(address: string): Promise<void> {
    const { kamailio } = this.#options;
    for (const table of ['ban', 'offence'])
      try {
        await kamailio.rpc('htable.delete', [table, address]);
      } catch (error) {
        // It is not in there: what is wanted holds.
        if (!(error instanceof AppError) || error.code !== 'unprocessable') throw error;
      }
    this.#bans.delete(address);
  }

  async #relays(): Promise<PhoneHealth['relays']> {
    const { relays, random } = this.#options;
    return Promise.all(
      relays.map(async ([name, address]) => {
        const calls = await relayCalls(address, random.uuid());
        return { name, up: calls !== undefined, calls: calls?.size ?? 0 };
      }),
    );
  }

  /** @returns undefined when Kamailio does not answer. */
  async #banned(): Promise<PhoneHealth['banned'] | undefined> {
    const { kamailio, clock } = this.#options;
    let addresses: string[];
    try {
      addresses = keysOf(await kamailio.rpc('htable.dump', ['ban']));
    } catch (error) {
      if (error instanceof AppError) return undefined;
      throw error;
    }
    for (const address of this.#bans.keys()) if (!addresses.includes(address)) this.#bans.delete(address);
    return addresses.slice(0, bannedMax).map((address) => {
      const ban = this.#bans.get(address);
      return {
        address,
        reason: ban?.reason ?? 'Told before the bridge started',
        until: toRfc3339(ban?.untilMs ?? clock.now() + bannedMs),
      };
    });
  }
}
