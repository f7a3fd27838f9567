/** People and places of core, as it last said; kept while core is down. */
import {
  InternalPerson,
  InternalPeople,
  InternalPlaces,
  internalPaths,
  type FeedEntry,
  type FeedKind,
} from '@siphera/contract';
import { CoreReading, type InternalClient, type Logger } from '@siphera/runtime';
import { z } from 'zod';
import type { People, Places } from '../ground.ts';
import type { BaseStore } from '../store/base.store.ts';

type Options = { client: InternalClient; store: BaseStore; log: Logger };
type AllPlaces = z.infer<typeof InternalPlaces>;

const peopleKinds: ReadonlySet<FeedKind> = new Set<FeedKind>(['user', 'area', 'site']);
/** Somebody who was made a moment ago is known after one reading; whoever asks for nobody waits so long. */
const arrivalMsMax = 2_000;
const placeKinds: ReadonlySet<FeedKind> = new Set<FeedKind>(['area', 'site']);

export class CoreDirectory {
  readonly #readings: readonly [CoreReading<InternalPerson[]>, CoreReading<AllPlaces>];
  readonly #store: BaseStore;
  #people: Map<string, InternalPerson>;
  #places: AllPlaces;
  readonly #peopleListeners: ((userIds: readonly string[]) => void)[] = [];
  readonly #placeListeners: (() => void)[] = [];
  /** Told after each change of people, until those they wait for have come. */
  readonly #arrivals = new Set<() => void>();

  constructor({ client, store, log }: Options) {
    this.#store = store;
    const kept = z.array(InternalPerson).parse(store.keptAnswer('people') ?? []);
    this.#people = new Map(kept.map((person) => [person.id, person]));
    this.#places = InternalPlaces.parse(store.keptAnswer('places') ?? { sites: [], areas: [], upto: 0 });
    this.#readings = [
      new CoreReading({
        client,
        log,
        path: internalPaths.people,
        parse: (answer) => InternalPeople.parse(answer).items,
        kinds: peopleKinds,
        onRead: (items) => this.#takePeople(items),
      }),
      new CoreReading({
        client,
        log,
        path: internalPaths.places,
        parse: (answer) => InternalPlaces.parse(answer),
        kinds: placeKinds,
        onRead: (places) => this.#takePlaces(places),
      }),
    ];
  }

  readonly people: People = {
    get: (userId) => this.#people.get(userId),
    all: () => [...this.#people.values()],
    arrival: (userId) => this.#arrival(userId),
    onChange: (hear) => void this.#peopleListeners.push(hear),
  };

  readonly places: Places = {
    all: () => this.#places,
    area: (id) => this.#places.areas.find((area) => area.id === id),
    onChange: (hear) => void this.#placeListeners.push(hear),
  };

  async #arrival(userId: string): Promise<InternalPerson | undefined> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const isThere = (): void => {
      if (this.#people.has(userId)) resolve();
    };
    this.#arrivals.add(isThere);
    const timer = setTimeout(resolve, arrivalMsMax);
    isThere();
    if (!this.#people.has(userId)) this.#readings[0].refresh();
    await promise;
    clearTimeout(timer);
    this.#arrivals.delete(isThere);
    return this.#people.get(userId);
  }

  hear(entries: readonly FeedEntry[]): void {
    for (const reading of this.#readings) reading.hear(entries);
  }

  refresh(): void {
    for (const reading of this.#readings) reading.refresh();
  }

  stop(): void {
    for (const reading of this.#readings) reading.stop();
  }

  #takePeople(items: readonly InternalPerson[]): void {
    const next = new Map(items.map((person) => [person.id, person]));
    const changed = [...new Set([...this.#people.keys(), ...next.keys()])].filter(
      (id) => JSON.stringify(this.#people.get(id)) !== JSON.stringify(next.get(id)),
    );
    if (changed.length === 0) return;
    this.#store.keepAnswer('people', items);
    this.#people = next;
    for (const hear of this.#peopleListeners) hear(changed);
    for (const isThere of this.#arrivals) isThere();
  }

  #takePlaces(places: AllPlaces): void {
    const isSame = JSON.stringify({ ...places, upto: 0 }) === JSON.stringify({ ...this.#places, upto: 0 });
    if (isSame) return;
    this.#store.keepAnswer('places', places);
    this.#places = places;
    for (const hear of this.#placeListeners) hear();
  }
}
