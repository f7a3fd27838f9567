/**
 * Makes the building on the box: site, areas, floors with plans, devices with places, controllers with certificates.
 * What must stay true: a second run finds everything by name or external id and changes nothing.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CallOutput } from '@siphera/testkit';
import { enrol, type Identity, readIdentity } from '@siphera/firmware-agent';
import type { BoxClient } from './box-client.ts';
import {
  controllerIds,
  devices,
  type FloorKey,
  floors,
  type LabDevice,
  planSize,
  rooms,
} from './building.ts';
import { drawPlan } from './plan.ts';

type Device = CallOutput<'createDevice'>;
export type Building = {
  siteId: string;
  /** Area by room key, and by floor key. */
  areas: ReadonlyMap<string, string>;
  floors: ReadonlyMap<FloorKey, string>;
  /** Device on the box by the lab's id. */
  devices: ReadonlyMap<string, Device>;
};
export type Report = (line: string) => void;

/** Name of the site, when the box has none that is still empty. */
const siteName = 'Riverside House';

/** Makes what is missing of the building, and gives all of it. */
export async function provisionBuilding(box: BoxClient, report: Report): Promise<Building> {
  const known = await existingDevices(box);
  const siteId = await ensureSite(box, known, report);
  const areas = await ensureAreas(box, siteId, report);
  const floorIds = await ensureFloors(box, siteId, report);
  const placed = await ensureDevices(box, known, areas, floorIds);
  if (placed.made > 0) report(`made ${placed.made} devices`);
  return { siteId, areas, floors: floorIds, devices: placed.devices };
}

async function existingDevices(box: BoxClient): Promise<Map<string, Device>> {
  const found = new Map<string, Device>();
  let cursor: string | undefined;
  do {
    const page = await box.call('listDevices', { query: { tag: 'lab', limit: 1_000, cursor } });
    for (const device of page.items) if (device.external_id) found.set(device.external_id, device);
    cursor = page.next_cursor;
  } while (cursor !== undefined);
  return found;
}

/** The lab's own site of before; else the box's only site while it has no floors; else a new one. */
async function ensureSite(box: BoxClient, known: Map<string, Device>, report: Report): Promise<string> {
  const [before] = known.values();
  if (before) return before.site_id;
  const { items: sites } = await box.call('listSites');
  const { items: used } = await box.call('listFloors', { query: {} });
  const [only] = sites;
  if (only && sites.length === 1 && used.length === 0) return only.id;
  const named = sites.find((site) => site.name === siteName);
  if (named) return named.id;
  const body = { name: siteName, time_zone: 'Europe/Vienna', address: 'Riverside 12, 1020 Vienna' };
  report(`made the site ${siteName}`);
  return (await box.call('createSite', { body })).id;
}

async function ensureAreas(box: BoxClient, siteId: string, report: Report): Promise<Map<string, string>> {
  const { items } = await box.call('listAreas', { query: { site_id: siteId } });
  const areas = new Map<string, string>();
  let made = 0;
  const ensure = async (key: string, name: string, parent: string | null): Promise<void> => {
    const found = items.find((area) => area.name === name && (parent === null || area.parent_id === parent));
    if (found) return void areas.set(key, found.id);
    const area = await box.call('createArea', { body: { site_id: siteId, parent_id: parent, name } });
    made += 1;
    areas.set(key, area.id);
  };
  for (const floor of floors) await ensure(floor.key, floor.name, null);
  for (const room of rooms) await ensure(room.key, room.name, areas.get(room.floor) ?? null);
  if (made > 0) report(`made ${made} areas`);
  return areas;
}

async function ensureFloors(box: BoxClient, siteId: string, report: Report): Promise<Map<FloorKey, string>> {
  const { items } = await box.call('listFloors', { query: { site_id: siteId } });
  const ids = new Map<FloorKey, string>();
  for (const { key, name, level } of floors) {
    const found = items.find((floor) => floor.level === level);
    const floor = found ?? (await box.call('createFloor', { body: { site_id: siteId, name, level } }));
    ids.set(key, floor.id);
    if (floor.plan) continue;
    const upload = { mediaType: 'image/svg+xml', bytes: Buffer.from(drawPlan(key)) };
    await box.call('putFloorPlan', { params: { id: floor.id }, upload });
    report(`drew the plan of the ${name.toLowerCase()}`);
  }
  return ids;
}

async function ensureDevices(
  box: BoxClient,
  known: Map<string, Device>,
  areas: Map<string, string>,
  floorIds: Map<FloorKey, string>,
): Promise<{ devices: Map<string, Device>; made: number }> {
  const all = new Map<string, Device>();
  let made = 0;
  // Controllers come first in the list, so that the others can hang on them.
  for (const device of devices) {
    const found = known.get(device.id);
    const parent = device.controller === undefined ? null : (all.get(device.controller)?.id ?? null);
    if (!found) made += 1;
    all.set(
      device.id,
      found ?? (await box.call('createDevice', { body: input(device, parent, areas, floorIds) })),
    );
  }
  return { devices: all, made };
}

function input(
  device: LabDevice,
  parent: string | null,
  areas: Map<string, string>,
  floorIds: Map<FloorKey, string>,
) {
  const room = rooms.find((candidate) => candidate.key === device.room);
  const [area, floor] = [areas.get(device.room), room && floorIds.get(room.floor)];
  if (area === undefined || floor === undefined)
    throw new Error(`${device.id} is in no room of the building`);
  return {
    area_id: area,
    parent_id: parent,
    kind: device.kind,
    name: device.name,
    external_id: device.id,
    tags: device.tags,
    place: { floor_id: floor, x: device.x / planSize.width, y: device.y / planSize.height },
  };
}

export type EnrolledController = { id: string; dataDir: string; identity: Identity };

/** Gives each controller its identity: the one on disk while it still fits, else a new one by a one-time code. */
export async function enrolControllers(
  box: BoxClient,
  building: Building,
  options: { dataDir: string; boxUrl: string; caFile: string; report: Report },
): Promise<EnrolledController[]> {
  const enrolled: EnrolledController[] = [];
  for (const id of controllerIds) {
    const device = building.devices.get(id);
    if (!device) throw new Error(`The building has no ${id}`);
    const dataDir = join(options.dataDir, id);
    const kept = await keptIdentity(dataDir, device, building);
    if (kept) {
      enrolled.push({ id, dataDir, identity: kept });
      continue;
    }
    const { code } = await box.call('createEnrolmentCode', { params: { id: device.id } });
    const trust = { caFile: options.caFile };
    const identity = await enrol({ dataDir, box: options.boxUrl, code, trust });
    options.report(`enrolled ${device.name}`);
    enrolled.push({ id, dataDir, identity });
  }
  return enrolled;
}

/** The identity of an earlier run, if it is still this controller's and knows all that hangs on it. */
async function keptIdentity(
  dataDir: string,
  device: Device,
  building: Building,
): Promise<Identity | undefined> {
  if (!existsSync(join(dataDir, 'identity', 'identity.json')) || !device.enrolled) return undefined;
  const identity = await readIdentity(dataDir);
  const behind = [...building.devices.values()].filter((other) => other.parent_id === device.id);
  const fits =
    identity.deviceId === device.id &&
    behind.every((other) => identity.children.some((child) => child.id === other.id));
  return fits ? identity : undefined;
}
