/** Sites, areas, floors with plans, devices, CSV import, enrolment. */
import { z } from 'zod';
import { ById, DeviceKind, Name, PageQuery, page, Tag, Timestamp, TimeZone, Uuid } from '../primitives.ts';
import { defineRoutes } from './route.ts';

/** `unavailable`: its controller or broker is away, so nothing is known. Shown as such, never as "ok". */
export const DeviceStatus = z.enum(['unknown', 'online', 'offline', 'unavailable']);
export const DeviceCondition = z.enum(['tamper', 'low_battery', 'power_lost', 'clock_skew', 'alarm']);
export const ArmedState = z.enum(['armed', 'disarmed', 'partial', 'unknown']);

export const Site = z.object({
  id: Uuid,
  org_id: Uuid,
  name: Name,
  time_zone: TimeZone,
  address: z.string().max(500),
  created_at: Timestamp,
});
export const Area = z.object({
  id: Uuid,
  org_id: Uuid,
  site_id: Uuid,
  parent_id: Uuid.nullable(),
  name: Name,
  armed: ArmedState,
  armed_changed_at: Timestamp.optional(),
});
export const Floor = z.object({
  id: Uuid,
  org_id: Uuid,
  site_id: Uuid,
  name: Name,
  level: z.int().min(-20).max(200),
  plan: z
    .object({ url: z.string(), width: z.int(), height: z.int() })
    .nullable()
    .meta({ description: 'Pixels of the re-encoded picture' }),
});
/** Place on a plan: fractions of its width and height, so that a new picture of the same plan keeps every mark. */
export const PlanPlace = z.object({
  floor_id: Uuid,
  x: z.number().min(0).max(1),
  y: z.number().min(0).max(1),
});
export const Device = z.object({
  id: Uuid,
  org_id: Uuid,
  site_id: Uuid,
  area_id: Uuid,
  area_name: z.string(),
  parent_id: Uuid.nullable().meta({ description: 'The controller or panel it hangs on' }),
  kind: DeviceKind,
  name: Name,
  external_id: z.string().max(120).nullable().meta({ description: "The device's own serial or address" }),
  tags: z.array(Tag).max(20),
  place: PlanPlace.nullable(),
  status: DeviceStatus,
  conditions: z.array(DeviceCondition),
  state: z
    .string()
    .max(40)
    .nullable()
    .meta({ description: "E.g. a door's locked or unlocked, as the door itself says" }),
  last_seen_at: Timestamp.optional(),
  clock_skew_ms: z.int().optional(),
  enrolled: z.boolean().meta({ description: 'Holds a certificate of its own' }),
  created_at: Timestamp,
  revision: z.int(),
});
export type Device = z.infer<typeof Device>;
export const DeviceInput = z.object({
  area_id: Uuid,
  parent_id: Uuid.nullable().default(null),
  kind: DeviceKind,
  name: Name,
  external_id: z.string().max(120).nullable().default(null),
  tags: z.array(Tag).max(20).default([]),
  place: PlanPlace.nullable().default(null),
});
export const DevicePatch = z.object({
  area_id: Uuid.optional(),
  parent_id: Uuid.nullable().optional(),
  kind: DeviceKind.optional(),
  name: Name.optional(),
  external_id: z.string().max(120).nullable().optional(),
  tags: z.array(Tag).max(20).optional(),
  place: PlanPlace.nullable().optional(),
});
/** One row of a CSV import: what it would become, or why it cannot. */
export const ImportRow = z.object({
  line: z.int(),
  action: z.enum(['create', 'update', 'unchanged', 'error']),
  name: z.string(),
  errors: z.array(z.object({ column: z.string(), message: z.string() })),
});
export const ImportReport = z.object({
  rows: z.array(ImportRow),
  ok: z.int(),
  bad: z.int(),
  applied: z.boolean(),
});
/** The CSV as text; at most 5,000 rows. Columns: name, kind, area, floor, x, y, external_id, parent, tags. */
export const CsvBody = z.object({ csv: z.string().max(2_000_000), site_id: Uuid });
export const csvBytesMax = 2_100_000;

export const EnrolmentCode = z.object({ code: z.string(), device_id: Uuid, expires_at: Timestamp });
/** What an agent sends once: the code, and a PKCS#10 request for its own key, which never leaves it. */
export const EnrolRequest = z.object({ code: z.string().min(8).max(64), csr_pem: z.string().max(8_192) });
export const Enrolled = z.object({
  device_id: Uuid,
  org_id: Uuid,
  certificate_pem: z.string(),
  ca_pem: z.string(),
  mqtt_url: z.string(),
  children: z.array(
    z.object({ id: Uuid, kind: DeviceKind, name: z.string(), external_id: z.string().nullable() }),
  ),
});

const core = { service: 'core' } as const;
const registry = { ...core, tag: 'registry' } as const;
const items = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), feed_seq: z.int() });

export const registryRoutes = defineRoutes({
  listSites: {
    ...registry,
    method: 'get',
    path: '/sites',
    access: 'registry.read',
    summary: 'Sites',
    response: items(Site),
  },
  createSite: {
    ...registry,
    method: 'post',
    path: '/sites',
    access: 'registry.write',
    summary: 'Add a site',
    body: z.object({ name: Name, time_zone: TimeZone, address: z.string().max(500).default('') }),
    response: Site,
    status: 201,
  },
  updateSite: {
    ...registry,
    method: 'patch',
    path: '/sites/{id}',
    access: 'registry.write',
    summary: 'Change a site',
    params: ById,
    body: z.object({
      name: Name.optional(),
      time_zone: TimeZone.optional(),
      address: z.string().max(500).optional(),
    }),
    response: Site,
  },
  deleteSite: {
    ...registry,
    method: 'delete',
    path: '/sites/{id}',
    access: 'registry.write',
    summary: 'Remove an empty site',
    params: ById,
    status: 204,
  },
  listAreas: {
    ...registry,
    method: 'get',
    path: '/areas',
    access: 'registry.read',
    summary: 'Areas, a tree by parent_id',
    query: z.object({ site_id: Uuid.optional() }),
    response: items(Area),
  },
  createArea: {
    ...registry,
    method: 'post',
    path: '/areas',
    access: 'registry.write',
    summary: 'Add an area',
    body: z.object({ site_id: Uuid, parent_id: Uuid.nullable().default(null), name: Name }),
    response: Area,
    status: 201,
  },
  updateArea: {
    ...registry,
    method: 'patch',
    path: '/areas/{id}',
    access: 'registry.write',
    summary: 'Rename or move an area',
    params: ById,
    body: z.object({ name: Name.optional(), parent_id: Uuid.nullable().optional() }),
    response: Area,
  },
  deleteArea: {
    ...registry,
    method: 'delete',
    path: '/areas/{id}',
    access: 'registry.write',
    summary: 'Remove an empty area',
    params: ById,
    status: 204,
  },
  listFloors: {
    ...registry,
    method: 'get',
    path: '/floors',
    access: 'registry.read',
    summary: 'Floors',
    query: z.object({ site_id: Uuid.optional() }),
    response: items(Floor),
  },
  createFloor: {
    ...registry,
    method: 'post',
    path: '/floors',
    access: 'registry.write',
    summary: 'Add a floor',
    body: z.object({ site_id: Uuid, name: Name, level: z.int().min(-20).max(200) }),
    response: Floor,
    status: 201,
  },
  updateFloor: {
    ...registry,
    method: 'patch',
    path: '/floors/{id}',
    access: 'registry.write',
    summary: 'Change a floor',
    params: ById,
    body: z.object({ name: Name.optional(), level: z.int().min(-20).max(200).optional() }),
    response: Floor,
  },
  deleteFloor: {
    ...registry,
    method: 'delete',
    path: '/floors/{id}',
    access: 'registry.write',
    summary: 'Remove a floor; devices on it lose their place',
    params: ById,
    status: 204,
  },
  putFloorPlan: {
    ...registry,
    method: 'put',
    path: '/floors/{id}/plan',
    access: 'registry.write',
    summary: 'Upload the plan (PNG, JPEG, WebP or SVG; kept as PNG)',
    params: ById,
    upload: { mediaTypes: ['image/png', 'image/jpeg', 'image/webp', 'image/svg+xml'], bytesMax: 10_000_000 },
    response: Floor,
  },
  getFloorPlan: {
    ...registry,
    method: 'get',
    path: '/floors/{id}/plan',
    access: 'registry.read',
    summary: 'The plan as PNG',
    params: ById,
    download: 'image/png',
  },

  listDevices: {
    ...registry,
    method: 'get',
    path: '/devices',
    access: 'registry.read',
    summary: 'Devices',
    query: PageQuery.extend({
      limit: z.coerce.number().int().min(1).max(1_000).default(200),
      q: z.string().max(120).optional(),
      kind: DeviceKind.optional(),
      status: DeviceStatus.optional(),
      area_id: Uuid.optional(),
      floor_id: Uuid.optional(),
      tag: Tag.optional(),
    }),
    response: page(Device),
  },
  createDevice: {
    ...registry,
    method: 'post',
    path: '/devices',
    access: 'registry.write',
    summary: 'Add a device',
    body: DeviceInput,
    response: Device,
    status: 201,
  },
  getDevice: {
    ...registry,
    method: 'get',
    path: '/devices/{id}',
    access: 'registry.read',
    summary: 'One device',
    params: ById,
    response: Device,
  },
  updateDevice: {
    ...registry,
    method: 'patch',
    path: '/devices/{id}',
    access: 'registry.write',
    summary: 'Change a device',
    params: ById,
    body: DevicePatch,
    response: Device,
  },
  deleteDevice: {
    ...registry,
    method: 'delete',
    path: '/devices/{id}',
    access: 'registry.write',
    summary: 'Remove a device; its events and incidents stay',
    params: ById,
    status: 204,
  },
  previewDeviceImport: {
    ...registry,
    method: 'post',
    path: '/devices/import/preview',
    access: 'registry.write',
    summary: 'What a CSV would do, row by row; changes nothing',
    body: CsvBody,
    bodyBytesMax: csvBytesMax,
    response: ImportReport,
  },
  importDevices: {
    ...registry,
    method: 'post',
    path: '/devices/import',
    access: 'registry.write',
    summary: 'Import a CSV: all rows or none',
    body: CsvBody,
    bodyBytesMax: csvBytesMax,
    response: ImportReport,
  },
  createEnrolmentCode: {
    ...registry,
    method: 'post',
    path: '/devices/{id}/enrolment-code',
    access: 'device.enrol',
    summary: 'A one-time code with which the agent fetches its certificate',
    params: ById,
    response: EnrolmentCode,
    status: 201,
  },
  revokeDeviceCertificate: {
    ...registry,
    method: 'delete',
    path: '/devices/{id}/certificate',
    access: 'device.enrol',
    summary: "Revoke a device's certificates and drop its connection",
    params: ById,
    status: 204,
  },
  enrol: {
    ...registry,
    method: 'post',
    path: '/enrol',
    access: 'public',
    summary: 'An agent swaps its one-time code for a certificate',
    body: EnrolRequest,
    response: Enrolled,
    status: 201,
  },
});
