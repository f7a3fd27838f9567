/** Areas and devices of the core for tests, as `/internal/v1/devices` shows and takes them. */
import {
  InternalNewDevice,
  InternalRemoveDevice,
  isGranted,
  type FeedEntry,
  type InternalDevice,
} from '@siphera/contract';
import { systemRandom } from '@siphera/runtime';

export type FakeArea = { id: string; org_id: string; site_id: string; name: string };
type Answer = { status: number; answer: unknown };

export class FakeRegistry {
  readonly areas: FakeArea[] = [];
  readonly devices = new Map<string, InternalDevice>();
  readonly #tell: (entry: Omit<FeedEntry, 'seq' | 'at'>) => void;

  constructor(tell: (entry: Omit<FeedEntry, 'seq' | 'at'>) => void) {
    this.#tell = tell;
  }

  addArea(area: FakeArea): FakeArea {
    this.areas.push(area);
    return area;
  }

  reading(): { items: InternalDevice[]; areas: unknown[] } {
    const areas = this.areas.map((area) => ({ ...area, scopes: scopesOfArea(area) }));
    return { items: [...this.devices.values()], areas };
  }

  /** Adds a camera, as somebody would in core's registry. */
  put(areaId: string, name: string, externalId: string | null = null): InternalDevice {
    const area = this.areas.find(({ id }) => id === areaId);
    if (!area) throw new Error(`There is no area ${areaId}`);
    const id = systemRandom.uuid();
    const device: InternalDevice = {
      id,
      org_id: area.org_id,
      site_id: area.site_id,
      site_time_zone: 'Europe/Vienna',
      area_id: area.id,
      area_name: area.name,
      name,
      external_id: externalId,
      scopes: [`device:${id}`, ...scopesOfArea(area)],
    };
    this.devices.set(id, device);
    this.#changed(device, 'created');
    return device;
  }

  change(id: string, change: Partial<InternalDevice>): void {
    const device = this.devices.get(id);
    if (!device) throw new Error(`There is no device ${id}`);
    this.devices.set(id, { ...device, ...change });
    this.#changed(device, 'updated');
  }

  add(body: unknown): Answer {
    const { actor, device } = InternalNewDevice.parse(body);
    const area = this.areas.find(({ id, org_id: org }) => id === device.area_id && org === actor.org_id);
    if (!area) return refusal(404, 'not_found');
    if (!isGranted(actor.grants, 'registry.write', scopesOfArea(area))) return refusal(403, 'forbidden');
    return { status: 200, answer: this.put(device.area_id, device.name, device.external_id) };
  }

  remove(body: unknown): Answer {
    const { actor, device_id: id } = InternalRemoveDevice.parse(body);
    const device = this.devices.get(id);
    if (!device) return refusal(404, 'not_found');
    if (!isGranted(actor.grants, 'registry.write', device.scopes)) return refusal(403, 'forbidden');
    this.devices.delete(id);
    this.#changed(device, 'deleted');
    return { status: 200, answer: {} };
  }

  #changed(device: InternalDevice, action: FeedEntry['action']): void {
    this.#tell({ kind: 'device', action, id: device.id, audience: 'registry.read', scopes: device.scopes });
  }
}

const scopesOfArea = (area: FakeArea): string[] => [
  `area:${area.id}`,
  `site:${area.site_id}`,
  `org:${area.org_id}`,
];

const refusal = (status: number, code: string): Answer => ({
  status,
  answer: { type: `urn:${code}`, title: code, status, code },
});
