/** Locations, areas and surroundings made up for tests. */
import { CivicAddress, EmergencyLocationInput } from '@siphera/contract';
import type { LocationSurroundings } from '../domain/location-findings.ts';
import { neighboursOf } from '../domain/location-neighbours.ts';
import type { Location } from '../domain/location-row.ts';

const orgId = '0192f000-0000-7000-8000-000000000001';
export const siteId = '0192f000-0000-7000-8000-000000000002';

/** An address in the US with all that is required, and where in the building. */
export const civic = (change: Partial<CivicAddress> = {}): CivicAddress =>
  CivicAddress.parse({
    country: 'US',
    A1: 'CO',
    A3: 'Denver',
    RD: 'Larimer',
    STS: 'Street',
    HNO: '1400',
    PC: '80202',
    FLR: '2',
    ROOM: 'Guard room',
    NAM: 'Siphera Works',
    ...change,
  });

export const locationInput = (change: Record<string, unknown> = {}): EmergencyLocationInput =>
  EmergencyLocationInput.parse({ label: 'Lobby', site_id: siteId, civic: civic(), ...change });

export const location = (id: string, change: Partial<Location> = {}): Location => ({
  ...locationInput({ label: `Location ${id}` }),
  id,
  org_id: orgId,
  revision: 1,
  validated_ms: 1,
  validated_by: 'Ada Admin',
  ...change,
});

export const surroundings = (change: Partial<LocationSurroundings> = {}): LocationSurroundings => ({
  neighbours: neighboursOf([]),
  siteIds: new Set([siteId]),
  areas: new Map(),
  trunks: [],
  isExtension: () => true,
  ...change,
});
