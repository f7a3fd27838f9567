/** The registry as the rules engine sees it. */
import type { EngineArea, EngineDevice } from '@siphera/rules';
import type { IndexedArea, IndexedDevice, RegistryIndex } from '../registry/store/registry-index.ts';

export const engineArea = (area: IndexedArea): EngineArea => ({
  id: area.id,
  name: area.name,
  path: area.path,
});

export function engineDevice(index: RegistryIndex, device: IndexedDevice): EngineDevice {
  const area = index.area(device.areaId);
  return {
    id: device.id,
    name: device.name,
    kind: device.kind,
    tags: device.tags,
    area: area ? engineArea(area) : undefined,
  };
}
