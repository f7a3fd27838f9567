/** Things of emergency calls by the names the pages use. */
import type { Body, Item, Result } from '#api/client.ts';

export type Location = Item<'listEmergencyLocations'>;
export type LocationBody = Body<'createEmergencyLocation'>;
export type Civic = Location['civic'];
export type Coverage = Result<'getLocationCoverage'>;
export type EmergencyCall = Item<'listEmergencyCalls'>;

/** Elements of RFC 5139 in the order in which a person writes an address. */
export const civicFields = [
  'NAM',
  'HNO',
  'HNS',
  'PRD',
  'RD',
  'STS',
  'POD',
  'A3',
  'A2',
  'A1',
  'PC',
  'country',
  'BLD',
  'FLR',
  'UNIT',
  'ROOM',
  'LMK',
  'LOC',
] as const satisfies readonly (keyof Civic)[];
