/** Who works here, as core last said. Its answer is kept, so talk goes on while core is down. */
import {
  InternalPeople,
  internalPaths,
  type FeedEntry,
  type FeedKind,
  type InternalPerson,
} from '@siphera/contract';
import { CoreReading, type InternalClient, type Logger } from '@siphera/runtime';
import type { PeopleDirectory as Directory, TalkSignals } from '../ground.ts';
import type { BaseStore } from '../store/base.store.ts';

const kinds: ReadonlySet<FeedKind> = new Set<FeedKind>(['user', 'area', 'site']);

type Options = { client: InternalClient; store: BaseStore; signals: TalkSignals; log: Logger };

export class PeopleDirectory implements Directory {
  readonly #options: Options;
  readonly #reading: CoreReading<InternalPerson[]>;
  #people: Map<string, InternalPerson>;

  constructor(options: Options) {
    this.#options = options;
    this.#people = new Map(options.store.people().map((person) => [person.id, person]));
    this.#reading = new CoreReading({
      ...options,
      path: internalPaths.people,
      parse: (answer) => InternalPeople.parse(answer).items,
      kinds,
      onRead: (items) => this.#take(items),
    });
  }

  get(userId: string): InternalPerson | undefined {
    return this.#people.get(userId);
  }

  all(orgId: string): InternalPerson[] {
    return [...this.#people.values()].filter((person) => person.org_id === orgId);
  }

  hear(entries: readonly FeedEntry[]): void {
    this.#reading.hear(entries);
  }

  /** Asks core now, and again until it has answered. */
  refresh(): void {
    this.#reading.refresh();
  }

  stop(): void {
    this.#reading.stop();
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
