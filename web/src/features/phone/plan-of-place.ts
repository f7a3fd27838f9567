/** Which floor plan shows an emergency location: the one on which a device of its areas stands. */
import { api } from '#api/client.ts';
import { useDevices } from '#features/devices/devices.store.ts';

/** @throws ApiError */
export async function planOfPlace(locationId: string): Promise<string | undefined> {
  const devices = useDevices();
  const [{ items }] = await Promise.all([api('listEmergencyLocations'), devices.ensure()]);
  const areas = new Set(items.find(({ id }) => id === locationId)?.area_ids ?? []);
  const device = devices.items.find(({ area_id: area, place }) => place !== null && areas.has(area));
  return device?.place ? `/plans/${device.place.floor_id}?device=${device.id}` : undefined;
}
