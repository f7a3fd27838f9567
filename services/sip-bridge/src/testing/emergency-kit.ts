/** The emergency part between a core for tests and a Kamailio that is made up, with a number plan and a caller that tests decide. */
import { ExtensionInput, internalPaths, TrunkInput, type NumberPlan } from '@siphera/contract';
import { fakeRandom } from '@siphera/testkit';
import type { Caller, CallOrder, CallOutcome } from '../alarm-calls.part.ts';
import { defaultPlan } from '../domain/number-plan.ts';
import { createEmergencyPart } from '../emergency.part.ts';
import type { HealthCheck, Part } from '../ground.ts';
import type { Locate, PlanBook, PlannedExtension, PlannedTrunk } from '../plan.part.ts';
import { startBridgeRig, testOrg, type BridgeRig, type RigOptions } from './bridge-rig.ts';

const random = fakeRandom(250);

export class FakeBook implements PlanBook {
  readonly numbers: PlannedExtension[] = [];
  readonly trunkList: PlannedTrunk[] = [];
  readonly signedIn = new Set<string>();
  numberPlan: NumberPlan = defaultPlan('US');
  readonly #listeners: (() => void)[] = [];

  add(number: string, change: Partial<ExtensionInput> = {}): PlannedExtension {
    const extension: PlannedExtension = {
      ...ExtensionInput.parse({ number, kind: 'phone', name: `Phone ${number}`, ...change }),
      id: random.uuid(),
      org_id: testOrg,
      revision: 1,
      auth_username: number,
      has_secret: true,
    };
    this.numbers.push(extension);
    this.changed();
    return extension;
  }

  addTrunk(change: Record<string, unknown> = {}): PlannedTrunk {
    const trunk: PlannedTrunk = {
      ...TrunkInput.parse({
        name: 'Main',
        host: 'sip.test',
        kind: 'address',
        uses: ['emergency'],
        ...change,
      }),
      id: random.uuid(),
      org_id: testOrg,
      revision: 1,
      has_password: false,
    };
    this.trunkList.push(trunk);
    this.changed();
    return trunk;
  }

  changed(): void {
    for (const hear of this.#listeners) hear();
  }

  extension = (number: string) => this.numbers.find((one) => one.number === number);
  extensionById = (id: string) => this.numbers.find((one) => one.id === id);
  extensionOfUser = (userId: string) => this.numbers.find((one) => one.user_id === userId);
  extensions = () => this.numbers;
  trunk = (id: string) => this.trunkList.find((one) => one.id === id);
  trunks = () => this.trunkList;
  membersOf = ({ members }: PlannedExtension) => members;
  plan = () => this.numberPlan;
  registered = () => this.signedIn;
  onChange = (hear: () => void): void => void this.#listeners.push(hear);
  locateBy = (locate: Locate): void => {
    this.locate = locate;
  };
  locate: Locate = () => undefined;
}

/** What a call of the box is met with; by default it is answered at once. */
export class FakeCaller implements Caller {
  readonly orders: CallOrder[] = [];
  meet: (order: CallOrder) => Promise<CallOutcome> | CallOutcome = () => ({
    outcome: 'answered',
    code: 200,
    reason: 'OK',
    answeredMs: 5,
    digits: '',
  });

  call(order: CallOrder): Promise<CallOutcome> {
    this.orders.push(order);
    return Promise.resolve(this.meet(order));
  }
}

export type EmergencyRig = BridgeRig & { book: FakeBook; caller: FakeCaller; checks(): HealthCheck[] };

export async function startEmergencyRig(
  options: Omit<RigOptions, 'parts'> & { fill?(book: FakeBook): void } = {},
): Promise<EmergencyRig> {
  const book = new FakeBook();
  const caller = new FakeCaller();
  options.fill?.(book);
  let part: Part | undefined;
  const rig = await startBridgeRig({
    ...options,
    parts: (ground) => [(part = createEmergencyPart(ground, { book, caller }))],
    before: (core, kamailio) => {
      core.answers.set(internalPaths.openIncident, () => ({ incident_id: incidentId, opened: true }));
      core.answers.set(internalPaths.incidentLine, () => ({}));
      options.before?.(core, kamailio);
    },
  });
  return Object.assign(rig, { book, caller, checks: () => part?.checks?.() ?? [] });
}

/** What the core for tests answers for each emergency call. */
export const incidentId = '0192f000-0000-7000-8000-0000000000ff';

/** Bodies that core took at a path. */
export const posted = (rig: BridgeRig, path: string): Record<string, unknown>[] =>
  rig.core.posts.filter((post) => post.path === path).map(({ body }) => body as Record<string, unknown>);
