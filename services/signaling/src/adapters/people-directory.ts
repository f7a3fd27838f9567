/**
 * Who works here, as core last said. Its answer is kept, so talk goes on while core is down; the feed tells when to ask
 * again. What must stay true: a reading that fails changes nothing.
 */
import {
  InternalPeople,
  internalPaths,
  type FeedEntry,
  type FeedKind,
  type InternalPerson,
} from '@siphera/contract';
import type { InternalClient, Logger } from '@siphera/runtime';
import type { PeopleDirectory as Directory, TalkSignals } from '../ground.ts';
import type { BaseStore } from '../store/base.store.ts';

/** Entries of one change come within this. */
const heardMs = 100;
const retryMs = 2_000;
const concerning: ReadonlySet<FeedKind> = new Set<FeedKind>(['user', 'area', 'site']);

type Options = { client: InternalClient; store: BaseStore; signals: TalkSignals; log: Logger };

export class PeopleDirectory implements Directory {
  readonly #options: Options;
  #people: Map<string, InternalPerson>;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #failed = false;
  #reading = false;
  #readAgain = false;

  constructor(options: Options) {
    this.#options = options;
    this.#people = new Map(options.store.people().map((person) => [person.id, person]));
  }

  get(userId: string): InternalPerson | undefined {
    return this.#people.get(userId);
  }

  all(orgId: string): InternalPerson[] {
    return [...this.#people.values()].filter((person) => person.org_id === orgId);
  }

  hear(entries: readonly FeedEntry[]): void {
    if (entries.some(({ kind }) => concerning.has(kind))) this.#soon(heardMs);
  }

  /** Asks core now, and again until it has answered. */
  refresh(): void {
    this.#soon(0);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Soon, so that one change of many people is one reading. A reading under way may be older than what was heard. */
  #soon(ms: number): void {
    if (this.#reading) this.#readAgain = true;
    if (this.#stopped || this.#timer || this.#reading) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#read();
    }, ms);
  }

  async #read(): Promise<void> {
    const { client, log } = this.#options;
    this.#reading = true;
    this.#readAgain = false;
    let again: number | undefined;
    try {
      const { items } = InternalPeople.parse(await client.call('GET', internalPaths.people));
      if (!this.#stopped) this.#take(items);
      this.#failed = false;
    } catch (error) {
      if (!this.#failed) log.warn('people_not_read', { error });
      this.#failed = true;
      again = retryMs;
    }
    this.#reading = false;
    if (again !== undefined || this.#readAgain) this.#soon(again ?? heardMs);
  }

  #take(items: readonly InternalPerson[]): void {
    const { store, signals } = this.#options;
    const next = new Map(items.map((person) => [person.id, person]));
    const changed = [...new Set([...this.#people.keys(), ...next.keys()])].filter(
      (id) => JSON.stringify(this.#people.get(id)) !== JSON.stringify(next.get(id)),
    );
    if (changed.length === 0) return;
    store.replacePeople(items);
    this.#people = next;
    signals.emit({ kind: 'people', userIds: changed });
  }
}
