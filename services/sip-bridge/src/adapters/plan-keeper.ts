/**
 * The plan as the parts read it: numbers, trunks and number plan out of their tables, kept in memory, read anew after each change. What must
 * stay true: whoever hears of a change finds the new plan here, and Kamailio gets it.
 */
import type { NumberPlan } from '@siphera/contract';
import { membersOf, type PlanInput } from '../domain/plan-tables.ts';
import { outsideNumbersOf } from '../domain/trunk.ts';
import type { People, Publisher } from '../ground.ts';
import type { Locate, PlanBook, PlannedExtension, PlannedTrunk } from '../plan.part.ts';
import type { ExtensionStore } from '../store/extension.store.ts';
import type { NumberPlanStore } from '../store/number-plan.store.ts';
import type { TrunkStore } from '../store/trunk.store.ts';

type Options = {
  extensions: ExtensionStore;
  trunks: TrunkStore;
  plans: NumberPlanStore;
  publisher: Pick<Publisher, 'publish'>;
  people: Pick<People, 'get'>;
  registered: () => ReadonlySet<string>;
};

export class PlanKeeper implements PlanBook {
  readonly #options: Options;
  readonly #listeners: (() => void)[] = [];
  #extensions: PlannedExtension[] = [];
  #byNumber = new Map<string, PlannedExtension>();
  #byId = new Map<string, PlannedExtension>();
  #byUser = new Map<string, PlannedExtension>();
  #trunks: PlannedTrunk[] = [];
  #plan: NumberPlan;
  #locate: Locate = () => undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#plan = options.plans.get();
    this.#read();
  }

  extension(number: string): PlannedExtension | undefined {
    return this.#byNumber.get(number);
  }

  extensionById(id: string): PlannedExtension | undefined {
    return this.#byId.get(id);
  }

  extensionOfUser(userId: string): PlannedExtension | undefined {
    return this.#byUser.get(userId);
  }

  extensions(): PlannedExtension[] {
    return this.#extensions;
  }

  trunk(id: string): PlannedTrunk | undefined {
    return this.#trunks.find((trunk) => trunk.id === id);
  }

  trunks(): PlannedTrunk[] {
    return this.#trunks;
  }

  plan(): NumberPlan {
    return this.#plan;
  }

  registered(): ReadonlySet<string> {
    return this.#options.registered();
  }

  onChange(hear: () => void): void {
    this.#listeners.push(hear);
  }

  locateBy(locate: Locate): void {
    this.#locate = locate;
    this.#options.publisher.publish();
  }

  locate(extension: PlannedExtension): ReturnType<Locate> {
    return this.#locate(extension);
  }

  /** Numbers that come in on a trunk that is on. */
  outsideNumbers(): Set<string> {
    return outsideNumbersOf(this.#trunks);
  }

  membersOf(group: PlannedExtension): string[] {
    return membersOf({ extensions: this.#extensions, person: (id) => this.#options.people.get(id) }, group);
  }

  planInput(accounts: PlanInput['accounts']): PlanInput {
    return {
      plan: this.#plan,
      extensions: this.#extensions,
      accounts,
      person: (userId) => this.#options.people.get(userId),
      locate: (extension) => this.#locate(extension),
      outsideNumbers: this.outsideNumbers(),
    };
  }

  /** After the commit of a change. */
  changed(): void {
    this.#read();
    this.#options.publisher.publish();
    for (const hear of this.#listeners) hear();
  }

  #read(): void {
    const { extensions, trunks, plans } = this.#options;
    this.#extensions = extensions.all();
    this.#byNumber = new Map(this.#extensions.map((one) => [one.number, one]));
    this.#byId = new Map(this.#extensions.map((one) => [one.id, one]));
    this.#byUser = new Map(
      this.#extensions.flatMap((one) => (one.user_id === null ? [] : [[one.user_id, one]])),
    );
    this.#trunks = trunks.all();
    this.#plan = plans.get();
  }
}
