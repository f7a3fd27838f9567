/** Things of the phone system by the names its pages use. */
import type { Body, Item, Result } from '#api/client.ts';

export type Extension = Item<'listExtensions'>;
export type ExtensionBody = Body<'createExtension'>;
export type Trunk = Item<'listTrunks'>;
export type TrunkBody = Body<'createTrunk'>;
export type NumberPlan = Result<'getNumberPlan'>;
export type DestinationClass = NumberPlan['prefixes'][number]['class'];

export const destinationClasses = [
  'internal',
  'local',
  'national',
  'international',
  'premium',
] as const satisfies readonly DestinationClass[];
