/** Which cameras see an incident: the same rule by which the box keeps clips (docs/design/cameras.md). Pure. */
import { areaWithin, type TreeArea } from '#features/places/area-tree.ts';

type Seer = { id: string; area_id: string; watches: { area_ids: string[]; device_ids: string[] } };
type Happening = { area_id: string | null; device_id: string | null; device_ids: readonly string[] };

export function camerasThatSee<T extends Seer>(
  cameras: readonly T[],
  incident: Happening,
  areas: readonly TreeArea[],
): T[] {
  const devices = new Set([
    ...incident.device_ids,
    ...(incident.device_id === null ? [] : [incident.device_id]),
  ]);
  const { area_id: place } = incident;
  const watchesPlace = (camera: Seer): boolean =>
    place !== null && camera.watches.area_ids.some((id) => id === place || areaWithin(areas, id).has(place));
  const sees = (camera: Seer): boolean =>
    devices.has(camera.id) ||
    camera.watches.device_ids.some((id) => devices.has(id)) ||
    (place !== null && camera.area_id === place) ||
    watchesPlace(camera);
  // The camera that raised it comes first.
  return cameras.filter(sees).sort((a, b) => Number(devices.has(b.id)) - Number(devices.has(a.id)));
}
