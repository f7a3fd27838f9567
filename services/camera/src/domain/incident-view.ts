/** Which cameras see an incident, and how much of their footage belongs to it. Pure. */
import type { KnownCamera } from './camera.ts';

export type IncidentPlace = {
  orgId: string;
  /** The incident's own, and those that joined it. */
  deviceIds: readonly string[];
  /** Scope keys of the area it is in: its own and those above; empty when it has none. */
  areaScopes: readonly string[];
  areaId: string | undefined;
};

/** A camera sees what happens in its own area, to itself, and in the areas (all below included) and devices it watches. */
export function seesIncident(camera: KnownCamera, place: IncidentPlace): boolean {
  if (camera.orgId !== place.orgId) return false;
  if (place.areaId !== undefined && camera.areaId === place.areaId) return true;
  if (place.deviceIds.some((id) => id === camera.id || camera.watches.device_ids.includes(id))) return true;
  return camera.watches.area_ids.some((id) => place.areaScopes.includes(`area:${id}`));
}

/** The stills of a moment: itself, and 2 s before and after. */
export const stillOffsetsMs = [-2_000, 0, 2_000] as const;
