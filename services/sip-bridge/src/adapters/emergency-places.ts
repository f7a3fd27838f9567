/**
 * Dispatchable locations as the bridge works with them: where a number is, what is wrong with a location, what Kamailio gets. What
 * must stay true: an emergency call never waits for this; Kamailio has what was published last.
 */
import {
  isGranted,
  type EmergencyLocation,
  type InternalPerson,
  type LocationCoverage,
} from '@siphera/contract';
import type { z } from 'zod';
import { coverageOf } from '../domain/location-coverage.ts';
import type { Finding } from '../domain/civic-address.ts';
import { locationFindings, type Judged, type LocationSurroundings } from '../domain/location-findings.ts';
import { neighboursOf, type Neighbours } from '../domain/location-neighbours.ts';
import {
  isStale,
  placeIndex,
  placeOf,
  type Placed,
  type PlacedExtension,
  type PlaceIndex,
  type SaidPlace,
} from '../domain/location-place.ts';
import { toLocationView, type Location } from '../domain/location-row.ts';
import { callbackOfBox, locationTables, noticeNumbers, type Notified } from '../domain/location-tables.ts';
import { outsideNumbersOf } from '../domain/trunk.ts';
import { membersOf } from '../domain/plan-tables.ts';
import type { SwitchTables } from '../domain/switch-tables.ts';
import type { Ground } from '../ground.ts';
import type { PlanBook } from '../plan.part.ts';
import type { DrillStore } from '../store/drill.store.ts';
import type { LastPlaceStore } from '../store/last-place.store.ts';
import type { LocationStore } from '../store/location.store.ts';

/** What somebody said becomes stale by itself: so late at most Kamailio forgets it. */
const lookMs = 60_000;

type Options = {
  ground: Ground;
  book: PlanBook;
  store: LocationStore;
  lastPlaces: LastPlaceStore;
  drills: DrillStore;
};

/** As it was read last; by organisation where it is about one. */
type Known = { locations: Location[]; index: PlaceIndex; neighbours: Map<string, Neighbours> };

export class EmergencyPlaces {
  readonly #ground: Ground;
  readonly #book: PlanBook;
  readonly #store: LocationStore;
  readonly #lastPlaces: LastPlaceStore;
  readonly #drills: DrillStore;
  readonly #listeners: (() => void)[] = [];
  #known: Known | undefined;
  #stale = '';
  #timer: NodeJS.Timeout | undefined;

  constructor({ ground, book, store, lastPlaces, drills }: Options) {
    this.#ground = ground;
    this.#book = book;
    this.#store = store;
    this.#lastPlaces = lastPlaces;
    this.#drills = drills;
    ground.publisher.add(() => this.#contribution());
    ground.places.onChange(() => this.changed());
    ground.people.onChange(() => this.#peopleChanged());
    book.onChange(() => this.changed());
    book.locateBy((extension) => this.locate(extension));
  }

  start(): void {
    this.#peopleChanged();
    this.#timer = setInterval(() => this.#look(), lookMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  onChange(hear: () => void): void {
    this.#listeners.push(hear);
  }

  /** Whatever a place depends on has changed: Kamailio gets it. */
  changed(): void {
    this.#known = undefined;
    this.#ground.publisher.publish();
    for (const hear of this.#listeners) hear();
  }

  all(): readonly Location[] {
    return this.#now().locations;
  }

  get(id: string): Location | undefined {
    return this.#now().index.byId.get(id);
  }

  ofOrg(orgId: string): Location[] {
    return this.all().filter((location) => location.org_id === orgId);
  }

  /** Where callers are whose site is not known. */
  boxDefault(): Location | undefined {
    return this.#now().index.boxDefault;
  }

  place(extension: PlacedExtension): Placed | undefined {
    const said = extension.user_id === null ? undefined : this.said(extension.user_id);
    const person = this.#personOf(extension);
    return placeOf(this.#now().index, extension, said?.isStale ? undefined : said, person?.site_ids);
  }

  /**
   * For Kamailio, which asks the network of the phone only where this says nothing: the default of the box comes after
   * that anyway.
   */
  locate(extension: PlacedExtension): (Placed & { label: string }) | undefined {
    const placed = this.place(extension);
    if (!placed || (placed.by === 'site' && placed.loc === this.boxDefault()?.id)) return undefined;
    return { ...placed, label: this.get(placed.loc)?.label ?? '' };
  }

  said(userId: string): (SaidPlace & { isStale: boolean }) | undefined {
    const said = this.#lastPlaces.said(userId);
    return said && { ...said, isStale: this.#isStale(userId, said) };
  }

  say(userId: string, locationId: string): void {
    this.#lastPlaces.say(userId, locationId, this.#ground.clock.now());
    this.changed();
  }

  surroundings(orgId: string): LocationSurroundings {
    const { sites, areas } = this.#ground.places.all();
    return {
      neighbours: this.#neighbours(orgId),
      siteIds: new Set(sites.filter((site) => site.org_id === orgId).map(({ id }) => id)),
      areas: new Map(areas.filter((area) => area.org_id === orgId).map((area) => [area.id, area])),
      trunks: this.#book.trunks(),
      isExtension: (number) => this.#book.extension(number) !== undefined,
    };
  }

  findings(orgId: string, location: Judged): Finding[] {
    return locationFindings(location, this.surroundings(orgId));
  }

  /** Of one organisation, with what is wrong with each. */
  views(orgId: string, locations: readonly Location[]): EmergencyLocation[] {
    const lastDrills = this.#drills.lastResults();
    const around = this.surroundings(orgId);
    return locations.map((location) =>
      toLocationView(location, locationFindings(location, around), lastDrills.get(location.id)),
    );
  }

  /** Of areas and numbers that `isSeen` shows to whoever asks. */
  coverage(orgId: string, isSeen: (scopes: readonly string[]) => boolean): z.infer<typeof LocationCoverage> {
    const { areas } = this.#ground.places.all();
    const outside = outsideNumbersOf(this.#book.trunks());
    const scopesOf = (areaId: string | null): readonly string[] =>
      areas.find(({ id }) => id === areaId)?.scopes ?? [`org:${orgId}`];
    return coverageOf({
      index: this.#now().index,
      locations: this.ofOrg(orgId),
      areas: areas.filter((area) => area.org_id === orgId && isSeen(area.scopes)),
      extensions: this.#book
        .extensions()
        .filter(({ area_id: areaId }) => isSeen(scopesOf(areaId)))
        .map((extension) => ({
          ...extension,
          // A number that no trunk has is not shown outside.
          outside_number: outside.has(extension.outside_number ?? '') ? extension.outside_number : null,
          siteIds: this.#personOf(extension)?.site_ids ?? [],
        })),
      trunks: this.#book.trunks(),
      callbackOfBox: this.#callback(),
    });
  }

  #neighbours(orgId: string): Neighbours {
    const { neighbours } = this.#now();
    const kept = neighbours.get(orgId) ?? neighboursOf(this.ofOrg(orgId));
    neighbours.set(orgId, kept);
    return kept;
  }

  #now(): Known {
    if (!this.#known) {
      const locations = this.#store.all();
      this.#known = {
        locations,
        index: placeIndex(locations, this.#ground.places.all().areas),
        neighbours: new Map(),
      };
    }
    return this.#known;
  }

  #personOf({ user_id: userId }: PlacedExtension): InternalPerson | undefined {
    return userId === null ? undefined : this.#ground.people.get(userId);
  }

  #isStale(userId: string, said: SaidPlace): boolean {
    return isStale(said, this.#ground.clock.now(), this.#lastPlaces.dutySince(userId));
  }

  #callback(): string | undefined {
    return callbackOfBox(this.boxDefault(), this.#book.plan(), this.#book.trunks());
  }

  #contribution(): Partial<SwitchTables> {
    return locationTables({
      locations: this.all(),
      defaultLocation: this.boxDefault(),
      callback: this.#callback(),
      notice: noticeNumbers(this.#deskNumbers(), this.#notified()),
    });
  }

  /** A group has no phone of its own to be told by. */
  #deskNumbers(): string[] {
    const { desk } = this.#book.plan();
    const extension = desk === null ? undefined : this.#book.extension(desk);
    if (!extension) return [];
    if (extension.kind !== 'group') return [extension.number];
    return membersOf(
      { extensions: this.#book.extensions(), person: (id) => this.#ground.people.get(id) },
      extension,
    );
  }

  #notified(): Notified[] {
    const registered = this.#book.registered();
    return this.#book.extensions().flatMap((extension) => {
      const person = this.#personOf(extension);
      const may =
        person?.active && person.grants.some((grant) => isGranted([grant], 'phone.read', [grant.scope]));
      return person && may
        ? [{ number: extension.number, onDuty: person.on_duty, registered: registered.has(extension.number) }]
        : [];
    });
  }

  #peopleChanged(): void {
    const people = this.#ground.people.all();
    // Before core has ever answered nobody is known: then nobody has gone.
    if (people.length === 0) return;
    const onDuty = people.filter((person) => person.on_duty).map(({ id }) => id);
    const known = new Set(people.map(({ id }) => id));
    this.#lastPlaces.setDuties(new Set(onDuty), known, this.#ground.clock.now());
    this.changed();
  }

  #look(): void {
    const stale = this.#lastPlaces
      .allSaid()
      .filter((said) => this.#isStale(said.userId, said))
      .map(({ userId }) => userId)
      .join();
    if (stale === this.#stale) return;
    this.#stale = stale;
    this.changed();
  }
}
