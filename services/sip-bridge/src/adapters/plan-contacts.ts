/**
 * Who is registered now, as Kamailio last said: read anew when it reports that a contact came or went, and now and then in case a report
 * was lost. While Kamailio is away, what it said last stands.
 */
import { toRfc3339, type Clock, type Logger } from '@siphera/runtime';
import type { ExtensionView } from '@siphera/contract';
import { contactsOf, type RegisteredContact } from '../domain/switch-dumps.ts';
import type { Switch } from '../ground.ts';
import { PlanTicker } from './plan-ticker.ts';

const lookEveryMs = 30_000;

export class PlanContacts {
  readonly #kamailio: Pick<Switch, 'rpc'>;
  readonly #clock: Clock;
  readonly #ticker: PlanTicker;
  #contacts = new Map<string, (RegisteredContact & { untilMs: number })[]>();
  #registered: ReadonlySet<string> = new Set();
  readonly #listeners: (() => void)[] = [];

  constructor({ kamailio, clock, log }: { kamailio: Switch; clock: Clock; log: Logger }) {
    this.#kamailio = kamailio;
    this.#clock = clock;
    this.#ticker = new PlanTicker({
      name: 'contacts',
      everyMs: lookEveryMs,
      look: () => this.read(),
      log,
    });
    kamailio.on((event) => {
      if (event.kind === 'registration') this.#ticker.poke();
    });
  }

  start(): void {
    this.#ticker.poke();
  }

  stop(): Promise<void> {
    return this.#ticker.stop();
  }

  registered(): ReadonlySet<string> {
    return this.#registered;
  }

  of(number: string): readonly RegisteredContact[] {
    return this.#contacts.get(number) ?? [];
  }

  /** As the contract shows them. A softphone is whoever came by a websocket: nobody else can. */
  shown(number: string): ExtensionView['contacts'] {
    return (this.#contacts.get(number) ?? []).map((contact) => ({
      address: contact.address,
      transport: contact.transport,
      user_agent: contact.userAgent,
      expires_at: toRfc3339(contact.untilMs),
      softphone: isSoftphone(contact),
    }));
  }

  /** Told after each reading. */
  onRead(hear: () => void): void {
    this.#listeners.push(hear);
  }

  /** @throws when Kamailio is away, or its answer is none: then all stays as it was. */
  async read(): Promise<void> {
    const nowMs = this.#clock.now();
    const contacts = contactsOf(await this.#kamailio.rpc('ul.dump')).map((contact) => ({
      ...contact,
      untilMs: nowMs + contact.expiresSeconds * 1_000,
    }));
    this.#contacts = Map.groupBy(contacts, ({ number }) => number);
    this.#registered = new Set(this.#contacts.keys());
    for (const hear of this.#listeners) hear();
  }
}

export const isSoftphone = ({ transport }: Pick<RegisteredContact, 'transport'>): boolean =>
  transport === 'ws' || transport === 'wss';
