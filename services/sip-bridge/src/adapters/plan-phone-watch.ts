/**
 * Desk phones and doors that vanish. A phone that misses one refresh may be restarting; one that is away for longer than two of its
 * expiries is told to core, once, and once more when it is back. While Kamailio is away nobody is missed.
 */
import type { Clock, CoreOutbox, Logger, Sqlite } from '@siphera/runtime';
import { phoneEvent } from '../domain/phone-event.ts';
import type { PlanBook } from '../plan.part.ts';
import type { Presence, SoftphoneStore } from '../store/softphone.store.ts';
import { isSoftphone, type PlanContacts } from './plan-contacts.ts';

const expiriesMax = 2;

type Options = {
  db: Sqlite;
  store: SoftphoneStore;
  contacts: PlanContacts;
  book: Pick<PlanBook, 'extensions'>;
  outbox: CoreOutbox;
  clock: Clock;
  log: Logger;
};

export class PlanPhoneWatch {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
    options.contacts.onRead(() => this.look());
  }

  /** After each reading of contacts, so the time between is that of the readings. */
  look(): void {
    const { db, store, book } = this.#options;
    const known = new Map(store.presences().map((presence) => [presence.extensionId, presence]));
    db.transaction(() => {
      for (const phone of book.extensions())
        if (phone.kind === 'phone' || phone.kind === 'door') this.#lookAt(phone, known.get(phone.id));
    }).immediate();
  }

  #lookAt(phone: ReturnType<PlanBook['extensions']>[number], known: Presence | undefined): void {
    const { store, contacts, outbox, clock, log } = this.#options;
    const nowMs = clock.now();
    const here = contacts.of(phone.number).filter((contact) => !isSoftphone(contact));
    if (here.length > 0) {
      const left = Math.max(...here.map(({ expiresSeconds }) => expiresSeconds), 1);
      if (known && known.lostMs !== null)
        outbox.event(
          phoneEvent(phone, 'phone.registration_restored', { sinceMs: known.lostMs, atMs: nowMs }),
        );
      // What is left shrinks until the next refresh: the longest that was seen is its expiry.
      const expiresSeconds = Math.max(left, known && known.lostMs === null ? known.expiresSeconds : 0);
      store.setPresence({ extensionId: phone.id, expiresSeconds, seenMs: nowMs, lostMs: null });
      return;
    }
    if (known?.lostMs !== null || nowMs - known.seenMs <= expiriesMax * known.expiresSeconds * 1_000) return;
    log.warn('phone_lost', { number: phone.number });
    outbox.event(phoneEvent(phone, 'phone.registration_lost', { sinceMs: known.seenMs, atMs: nowMs }));
    store.setPresence({ ...known, lostMs: nowMs });
  }
}
