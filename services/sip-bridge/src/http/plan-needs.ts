/** What the routes of the plan stand on. */
import type { PlanBusy } from '../adapters/plan-busy.ts';
import type { PlanContacts } from '../adapters/plan-contacts.ts';
import type { PlanHealth } from '../adapters/plan-health.ts';
import type { PlanKeeper } from '../adapters/plan-keeper.ts';
import type { PlanSoftphoneEnds } from '../adapters/plan-softphone-ends.ts';
import type { PlanTrunkNames, Resolve } from '../adapters/plan-trunk-names.ts';
import type { PlanTrunkWatch } from '../adapters/plan-trunk-watch.ts';
import type { Ground } from '../ground.ts';
import type { ExtensionStore } from '../store/extension.store.ts';
import type { NumberPlanStore } from '../store/number-plan.store.ts';
import type { SoftphoneStore } from '../store/softphone.store.ts';
import type { TrunkStore } from '../store/trunk.store.ts';

export type PlanNeeds = {
  ground: Ground;
  book: PlanKeeper;
  extensions: ExtensionStore;
  trunks: TrunkStore;
  plans: NumberPlanStore;
  softphones: SoftphoneStore;
  contacts: PlanContacts;
  busy: PlanBusy;
  health: PlanHealth;
  ends: PlanSoftphoneEnds;
  names: PlanTrunkNames;
  watch: PlanTrunkWatch;
  resolve: Resolve;
};
