/** Audit, health, settings, the box's certificate authority. */
import { z } from 'zod';
import { ServiceState } from '../internal.ts';
import { Name, PageQuery, page, Timestamp, Uuid } from '../primitives.ts';
import { defineRoutes } from './route.ts';

export const AuditRow = z.object({
  seq: z.int(),
  id: Uuid,
  org_id: Uuid,
  at: Timestamp,
  actor: z.object({
    kind: z.enum(['user', 'api_key', 'service', 'device', 'system']),
    id: z.string(),
    name: z.string(),
  }),
  action: z.string(),
  target: z.string(),
  address: z.string(),
  detail: z.record(z.string(), z.unknown()),
  hash: z.string().meta({ description: 'SHA-256 over the row and the hash before it' }),
});
export const AuditVerdict = z.object({
  ok: z.boolean(),
  rows: z.int(),
  first_bad_seq: z.int().optional(),
  head_hash: z.string(),
  checked_at: Timestamp,
});
export const HealthCheck = z.object({
  name: z.string(),
  state: ServiceState,
  detail: z.string(),
  hint: z.string().optional(),
});
export const ServiceHealth = z.object({
  service: z.string(),
  state: ServiceState,
  version: z.string(),
  rss_bytes: z.int(),
  last_heard_at: Timestamp.optional(),
  checks: z.array(HealthCheck),
});
export const SystemHealth = z.object({
  state: ServiceState,
  now: Timestamp,
  started_at: Timestamp,
  version: z.string(),
  services: z.array(ServiceHealth),
  disk: z.object({ free_bytes: z.int(), total_bytes: z.int() }),
  ingest: z.object({
    per_second: z.number(),
    committed: z.int(),
    duplicates: z.int(),
    dead_letters: z.int(),
    queue: z.int(),
  }),
  certificate: z.object({ subject: z.string(), expires_at: Timestamp, own_ca: z.boolean() }).nullable(),
});
export const Settings = z.object({
  org_name: Name,
  box_name: z.string(),
  host_names: z.array(z.string()),
  outbound_allow: z
    .array(z.string().max(64))
    .max(50)
    .meta({ description: 'CIDR ranges of the LAN that webhooks may call' }),
  transcript_required: z
    .boolean()
    .meta({ description: 'An incident is closed only when the talk of its room was filed' }),
});
export const TrustInfo = z.object({
  own_ca: z.boolean(),
  host_name: z.string(),
  urls: z.array(z.string()),
  fingerprint_sha256: z.string(),
  expires_at: Timestamp,
});

const core = { service: 'core' } as const;

export const systemRoutes = defineRoutes({
  listAudit: {
    ...core,
    tag: 'audit',
    method: 'get',
    path: '/audit',
    access: 'audit.read',
    summary: 'The audit log, newest first',
    query: PageQuery.extend({
      actor_id: z.string().max(64).optional(),
      action: z.string().max(80).optional(),
      target: z.string().max(200).optional(),
      since: Timestamp.optional(),
      until: Timestamp.optional(),
    }),
    response: page(AuditRow),
  },
  verifyAudit: {
    ...core,
    tag: 'audit',
    method: 'post',
    path: '/audit/verify',
    access: 'audit.read',
    summary: 'Walk the hash chain',
    response: AuditVerdict,
  },
  exportAudit: {
    ...core,
    tag: 'audit',
    method: 'get',
    path: '/audit/export',
    access: 'audit.read',
    summary: 'The audit log as NDJSON',
    query: z.object({ since: Timestamp.optional(), until: Timestamp.optional() }),
    download: 'application/x-ndjson',
  },
  getHealth: {
    ...core,
    tag: 'system',
    method: 'get',
    path: '/health',
    access: 'public',
    summary: 'Alive?',
    response: z.object({ state: ServiceState }),
  },
  getSystemHealth: {
    ...core,
    tag: 'system',
    method: 'get',
    path: '/system/health',
    access: 'system.read',
    summary: 'Every part of the box',
    response: SystemHealth,
  },
  getSettings: {
    ...core,
    tag: 'system',
    method: 'get',
    path: '/settings',
    access: 'system.read',
    summary: 'Settings of the box',
    response: Settings,
  },
  patchSettings: {
    ...core,
    tag: 'system',
    method: 'patch',
    path: '/settings',
    access: 'system.manage',
    summary: 'Change settings',
    body: z.object({
      org_name: Name.optional(),
      outbound_allow: z.array(z.string().max(64)).max(50).optional(),
      transcript_required: z.boolean().optional(),
    }),
    response: Settings,
  },
  getTrust: {
    ...core,
    tag: 'trust',
    method: 'get',
    path: '/trust',
    access: 'public',
    summary: "The box's certificate and addresses, for the trust page",
    response: TrustInfo,
  },
  getCaCertificate: {
    ...core,
    tag: 'trust',
    method: 'get',
    path: '/trust/ca.crt',
    access: 'public',
    summary: "The box CA's certificate (DER)",
    download: 'application/x-x509-ca-cert',
  },
  getCaProfile: {
    ...core,
    tag: 'trust',
    method: 'get',
    path: '/trust/ca.mobileconfig',
    access: 'public',
    summary: 'The same as an Apple profile',
    download: 'application/x-apple-aspen-config',
  },
  getOpenApi: {
    ...core,
    tag: 'system',
    method: 'get',
    path: '/openapi.json',
    access: 'public',
    summary: 'This API as OpenAPI 3.1',
    response: z.looseObject({}),
  },
});
