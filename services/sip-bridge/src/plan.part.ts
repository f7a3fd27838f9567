/** Numbers, phones, trunks and the number plan; credentials of softphones; what Kamailio gets of it all. */
import type { ExtensionView, NumberPlan, TrunkView } from '@siphera/contract';
import { KeyBox } from '@siphera/runtime';
import { PlanBusy } from './adapters/plan-busy.ts';
import { PlanContacts } from './adapters/plan-contacts.ts';
import { PlanHealth } from './adapters/plan-health.ts';
import { PlanKeeper } from './adapters/plan-keeper.ts';
import { PlanPhoneWatch } from './adapters/plan-phone-watch.ts';
import { PlanSoftphoneEnds } from './adapters/plan-softphone-ends.ts';
import { PlanTrunkNames, resolveByDns, type Resolve } from './adapters/plan-trunk-names.ts';
import { PlanTrunkWatch } from './adapters/plan-trunk-watch.ts';
import { planTables, type Located } from './domain/plan-tables.ts';
import { trunkTables } from './domain/trunk.ts';
import type { Ground, HealthCheck, Part } from './ground.ts';
import { extensionHandlers } from './http/extensions.routes.ts';
import { phoneBookHandlers } from './http/phone-book.routes.ts';
import type { PlanNeeds } from './http/plan-needs.ts';
import { planHandlers } from './http/plan.routes.ts';
import { softphoneHandlers } from './http/softphone.routes.ts';
import { trunkHandlers } from './http/trunks.routes.ts';
import { ExtensionStore } from './store/extension.store.ts';
import { NumberPlanStore } from './store/number-plan.store.ts';
import { SoftphoneStore } from './store/softphone.store.ts';
import { TrunkStore } from './store/trunk.store.ts';

export type PlannedExtension = Omit<ExtensionView, 'contacts' | 'location_label'>;
export type PlannedTrunk = Omit<TrunkView, 'state'>;
/** Where help is sent to when somebody calls from a number, and what that is called; undefined: nobody has said. */
export type Locate = (extension: PlannedExtension) => (Located & { label: string }) | undefined;
/** The plan as other parts read it. */
export type PlanBook = {
  extension(number: string): PlannedExtension | undefined;
  extensionById(id: string): PlannedExtension | undefined;
  extensionOfUser(userId: string): PlannedExtension | undefined;
  extensions(): PlannedExtension[];
  trunk(id: string): PlannedTrunk | undefined;
  trunks(): PlannedTrunk[];
  plan(): NumberPlan;
  /** Numbers that a group rings now, who is on duty included. */
  membersOf(group: PlannedExtension): string[];
  /** Numbers that are registered now, as Kamailio last said. */
  registered(): ReadonlySet<string>;
  /** Told after each change of the plan. */
  onChange(hear: () => void): void;
  /** Set by the part that knows places; asked whenever the plan is made. Publish when its answers change. */
  locateBy(locate: Locate): void;
};

/** A box that nobody has set up: where 911 is dialled it works with and without a 9, and 112 leads there as well. */
const countryDefault = 'US';

export type PlanOptions = { resolve?: Resolve };

export function createPlanPart(ground: Ground, options: PlanOptions = {}): { part: Part; book: PlanBook } {
  const needs = createNeeds(ground, options);
  const { book, busy, health, contacts, ends, names, watch, extensions, trunks } = needs;
  const { kamailio, publisher, people } = ground;
  kamailio.on((event, late) => {
    busy.hear(event, late);
    health.hear(event);
  });
  kamailio.onUp(() => ends.tellAgain());
  // Roles, duty and who is still there are in the tables.
  people.onChange(() => publisher.publish());
  publisher.add(() => planTables(book.planInput(extensions.accounts())));
  publisher.add(() =>
    trunkTables(
      book.trunks().map((trunk) => ({
        trunk,
        password: trunks.password(trunk.id),
        resolved: trunks.addresses(trunk.id, trunk.host),
      })),
    ),
  );
  const part: Part = {
    name: 'plan',
    handlers: {
      ...extensionHandlers(needs),
      ...trunkHandlers(needs),
      ...planHandlers(needs),
      ...softphoneHandlers(needs),
      ...phoneBookHandlers(needs),
    },
    onRevoked: (hits) => ends.end(hits),
    checks: () => checksOf(needs),
    start() {
      contacts.start();
      ends.start();
      names.look();
      watch.soon();
    },
    async stop() {
      await Promise.all([contacts.stop(), ends.stop(), names.stop(), watch.stop()]);
    },
  };
  return { part, book };
}

function createNeeds(ground: Ground, { resolve = resolveByDns }: PlanOptions): PlanNeeds {
  const { config, db, random, kamailio, clock, log, publisher, outbox } = ground;
  const extensions = new ExtensionStore(db, config.SIP_DOMAIN);
  const trunks = new TrunkStore(
    db,
    new KeyBox({ key: config.SIP_BRIDGE_KEY, random, variable: 'SIP_BRIDGE_KEY' }),
  );
  const plans = new NumberPlanStore(db, countryDefault);
  const softphones = new SoftphoneStore(db);
  const contacts = new PlanContacts({ kamailio, clock, log });
  const busy = new PlanBusy(clock);
  const book = new PlanKeeper({
    extensions,
    trunks,
    plans,
    publisher,
    people: ground.people,
    registered: () => contacts.registered(),
  });
  // A key that is not the one of this database stops the start, and not the first call for help.
  for (const { id } of book.trunks()) trunks.password(id);
  new PlanPhoneWatch({ db, store: softphones, contacts, book, outbox, clock, log });
  return {
    ground,
    book,
    extensions,
    trunks,
    plans,
    softphones,
    contacts,
    busy,
    health: new PlanHealth({
      kamailio,
      publisher,
      contacts,
      busy,
      relays: config.RTPENGINE_CONTROL,
      clock,
      random,
    }),
    ends: new PlanSoftphoneEnds({ store: softphones, contacts, kamailio, clock, log }),
    names: new PlanTrunkNames({ store: trunks, book, resolve, log, onChange: () => publisher.publish() }),
    watch: new PlanTrunkWatch({ db, store: trunks, book, kamailio, outbox, clock, log }),
    resolve,
  };
}

function checksOf({ book, watch }: PlanNeeds): HealthCheck[] {
  const on = book.trunks().filter(({ enabled }) => enabled);
  if (on.length === 0) return [];
  const lost = on.filter((trunk) => {
    const { reachable, registered } = watch.state(trunk);
    return reachable === false || registered === false;
  });
  const detail =
    lost.length === 0 ? `${on.length} of ${on.length}` : `lost: ${lost.map(({ name }) => name).join(', ')}`;
  return [{ name: 'trunks', state: lost.length === 0 ? 'ok' : 'degraded', detail: detail.slice(0, 300) }];
}
