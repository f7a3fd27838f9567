/** The DC-09 receiver's own pages; answered by services/panel, which checks tokens alone. */
import { z } from 'zod';
import { ById, Name, PageQuery, page, Timestamp, Uuid } from '../primitives.ts';
import { CsvBody, csvBytesMax, ImportReport } from './registry.ts';
import { defineRoutes } from './route.ts';

export const AccountNumber = z
  .string()
  .regex(/^[0-9A-F]{3,16}$/)
  .meta({ description: 'DC-09 account, 3 to 16 hexadecimal digits (§5.5.1.6)' });
/** Accounts of the self-test: core makes one for each run, and none of them is put on the list of those that wait. */
export const selfTestAccount = /^5E1F[0-9A-F]{4}$/;
export const PanelAccount = z.object({
  id: Uuid,
  org_id: Uuid,
  site_id: Uuid.nullable(),
  account: AccountNumber,
  state: z.enum(['waiting', 'active', 'ignored']),
  name: z.string().max(120),
  device_id: Uuid.nullable().meta({ description: 'The panel in the registry' }),
  area_id: Uuid.nullable().meta({ description: 'Where events of no mapped partition or zone belong' }),
  key_set: z.boolean(),
  key_bits: z.union([z.literal(128), z.literal(192), z.literal(256)]).nullable(),
  require_encryption: z.boolean(),
  supervision_ms: z
    .int()
    .min(10_000)
    .max(7 * 86_400_000)
    .nullable()
    .meta({ description: 'Silence longer than this is an incident' }),
  supervision: z.enum(['off', 'ok', 'lost']),
  first_seen_at: Timestamp.optional(),
  last_seen_at: Timestamp.optional(),
  last_address: z.string().optional(),
  transport: z.enum(['tcp', 'udp']).optional(),
  frames: z.int(),
  bad_frames: z.int(),
  created_at: Timestamp,
});
export type PanelAccount = z.infer<typeof PanelAccount>;
export const PanelAccountInput = z.object({
  account: AccountNumber,
  name: Name,
  site_id: Uuid,
  device_id: Uuid.nullable().default(null),
  area_id: Uuid.nullable().default(null),
  key_hex: z
    .string()
    .regex(/^([0-9a-fA-F]{32}|[0-9a-fA-F]{48}|[0-9a-fA-F]{64})$/)
    .optional(),
  require_encryption: z.boolean().default(false),
  supervision_ms: z
    .int()
    .min(10_000)
    .max(7 * 86_400_000)
    .nullable()
    .default(null),
});
const PanelAccountPatch = z.object({
  name: Name.optional(),
  state: z.enum(['active', 'ignored']).optional(),
  site_id: Uuid.optional(),
  device_id: Uuid.nullable().optional(),
  area_id: Uuid.nullable().optional(),
  key_hex: z
    .string()
    .regex(/^([0-9a-fA-F]{32}|[0-9a-fA-F]{48}|[0-9a-fA-F]{64})$/)
    .nullable()
    .optional(),
  require_encryption: z.boolean().optional(),
  supervision_ms: z
    .int()
    .min(10_000)
    .max(7 * 86_400_000)
    .nullable()
    .optional(),
});
/** partition and zone are as the panel sends them; `zone: null` maps the partition itself. */
export const ZoneMapping = z.object({
  partition: z.string().max(8).nullable(),
  zone: z.string().max(8).nullable(),
  name: Name,
  device_id: Uuid.nullable(),
  area_id: Uuid.nullable(),
});
export const PanelFrame = z.object({
  id: z.int(),
  received_at: Timestamp,
  transport: z.enum(['tcp', 'udp']),
  address: z.string(),
  account: z.string().nullable(),
  raw: z.string().meta({ description: 'Printable form; other bytes as \\xNN' }),
  verdict: z.enum(['ack', 'nak', 'duh', 'silent', 'pending']),
  reason: z.string(),
});

const panel = { service: 'panel', tag: 'panels' } as const;

export const panelRoutes = defineRoutes({
  listPanelAccounts: {
    ...panel,
    method: 'get',
    path: '/panel/accounts',
    access: 'panel.read',
    summary: 'Accounts, known and waiting',
    query: z.object({ state: z.enum(['waiting', 'active', 'ignored']).optional() }),
    response: z.object({ items: z.array(PanelAccount) }),
  },
  createPanelAccount: {
    ...panel,
    method: 'post',
    path: '/panel/accounts',
    access: 'panel.manage',
    summary: 'Add an account',
    body: PanelAccountInput,
    response: PanelAccount,
    status: 201,
  },
  getPanelAccount: {
    ...panel,
    method: 'get',
    path: '/panel/accounts/{id}',
    access: 'panel.read',
    summary: 'One account',
    params: ById,
    response: PanelAccount,
  },
  updatePanelAccount: {
    ...panel,
    method: 'patch',
    path: '/panel/accounts/{id}',
    access: 'panel.manage',
    summary: 'Change or adopt an account',
    params: ById,
    body: PanelAccountPatch,
    response: PanelAccount,
  },
  deletePanelAccount: {
    ...panel,
    method: 'delete',
    path: '/panel/accounts/{id}',
    access: 'panel.manage',
    summary: 'Forget an account; it waits for adoption again when it next reports',
    params: ById,
    status: 204,
  },
  listZones: {
    ...panel,
    method: 'get',
    path: '/panel/accounts/{id}/zones',
    access: 'panel.read',
    summary: 'The map of partitions and zones',
    params: ById,
    response: z.object({ items: z.array(ZoneMapping) }),
  },
  putZones: {
    ...panel,
    method: 'put',
    path: '/panel/accounts/{id}/zones',
    access: 'panel.manage',
    summary: 'Replace the map',
    params: ById,
    body: z.object({ items: z.array(ZoneMapping).max(2_000) }),
    bodyBytesMax: 2_000_000,
    response: z.object({ items: z.array(ZoneMapping) }),
  },
  previewZoneImport: {
    ...panel,
    method: 'post',
    path: '/panel/accounts/{id}/zones/import/preview',
    access: 'panel.manage',
    summary: 'What a CSV (partition, zone, name, device_id, area_id) would do',
    params: ById,
    body: CsvBody.omit({ site_id: true }),
    bodyBytesMax: csvBytesMax,
    response: ImportReport,
  },
  importZones: {
    ...panel,
    method: 'post',
    path: '/panel/accounts/{id}/zones/import',
    access: 'panel.manage',
    summary: 'Import a CSV: all rows or none',
    params: ById,
    body: CsvBody.omit({ site_id: true }),
    bodyBytesMax: csvBytesMax,
    response: ImportReport,
  },
  listFrames: {
    ...panel,
    method: 'get',
    path: '/panel/frames',
    access: 'panel.read',
    summary: 'Raw frames, newest first',
    query: PageQuery.extend({ account: AccountNumber.optional() }),
    response: page(PanelFrame),
  },
});
