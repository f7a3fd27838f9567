/** Numbers, phones, trunks and the number plan; credentials of softphones; what Kamailio gets of it all. */
import type { ExtensionView, NumberPlan, TrunkView } from '@siphera/contract';
import type { Ground, Part } from './ground.ts';

export type PlannedExtension = Omit<ExtensionView, 'contacts' | 'location_label'>;
export type PlannedTrunk = Omit<TrunkView, 'state'>;
/** The plan as other parts read it. */
export type PlanBook = {
  extension(number: string): PlannedExtension | undefined;
  extensionById(id: string): PlannedExtension | undefined;
  extensionOfUser(userId: string): PlannedExtension | undefined;
  extensions(): PlannedExtension[];
  trunk(id: string): PlannedTrunk | undefined;
  trunks(): PlannedTrunk[];
  plan(): NumberPlan;
  /** Numbers that are registered now, as Kamailio last said. */
  registered(): ReadonlySet<string>;
  /** Told after each change of the plan. */
  onChange(hear: () => void): void;
};

export function createPlanPart(_ground: Ground): { part: Part; book: PlanBook } {
  throw new Error('not yet');
}
