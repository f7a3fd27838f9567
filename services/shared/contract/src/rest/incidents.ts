/** Incidents: the board, the page, what guards do, and the operating steps they follow. */
import { z } from 'zod';
import {
  ById,
  FeedSeq,
  IncidentState,
  Name,
  PageQuery,
  page,
  Severity,
  Text,
  Timestamp,
  Uuid,
} from '../primitives.ts';
import { defineRoutes } from './route.ts';

export const ResolutionCode = z.enum([
  'real',
  'false_alarm',
  'nuisance',
  'test',
  'maintenance',
  'duplicate',
  'other',
]);
const Person = z.object({ id: Uuid, name: z.string() });

export const IncidentStep = z.object({
  index: z.int(),
  text: z.string(),
  required: z.boolean(),
  done: z.boolean(),
  done_by: Person.optional(),
  done_at: Timestamp.optional(),
});
export const Incident = z.object({
  id: Uuid,
  org_id: Uuid,
  site_id: Uuid,
  number: z.int().meta({ description: 'Counts up per org; what people say on the radio' }),
  title: z.string(),
  severity: Severity,
  state: IncidentState,
  area_id: Uuid.nullable(),
  area_name: z.string().nullable(),
  device_id: Uuid.nullable(),
  device_name: z.string().nullable(),
  device_ids: z.array(Uuid).meta({ description: 'All related devices' }),
  rule_id: Uuid.nullable(),
  rule_name: z.string().nullable(),
  opened_at: Timestamp,
  updated_at: Timestamp,
  event_count: z.int(),
  last_event_at: Timestamp.optional(),
  late_ms: z.int().meta({ description: 'How late the opening event arrived; 0 when live' }),
  acknowledged_by: Person.nullable(),
  acknowledged_at: Timestamp.optional(),
  assignee: Person.nullable(),
  resolved_by: Person.nullable(),
  resolved_at: Timestamp.optional(),
  resolution: z.object({ code: ResolutionCode, note: z.string() }).nullable(),
  steps: z.array(IncidentStep),
  escalation_level: z.int().meta({ description: '0 until nobody acknowledged in time' }),
  test: z.boolean(),
  revision: z.int(),
  trace_id: z.string(),
});
export type Incident = z.infer<typeof Incident>;

export const TimelineKind = z.enum([
  'opened',
  'event',
  'acknowledged',
  'assigned',
  'resolved',
  'closed',
  'reopened',
  'comment',
  'attachment',
  'step',
  'severity',
  'notification',
  'escalated',
  'command',
  'evidence',
  'call',
  'transcript',
  'system',
]);
export const TimelineEntry = z.object({
  id: Uuid,
  incident_id: Uuid,
  seq: FeedSeq,
  at: Timestamp,
  kind: TimelineKind,
  actor: z.object({
    kind: z.enum(['user', 'api_key', 'rule', 'device', 'system']),
    id: z.string(),
    name: z.string(),
  }),
  text: z.string(),
  data: z.record(z.string(), z.unknown()),
});
export type TimelineEntry = z.infer<typeof TimelineEntry>;
export const Attachment = z.object({
  id: Uuid,
  incident_id: Uuid,
  name: z.string(),
  media_type: z.string(),
  bytes: z.int(),
  sha256: z.string(),
  created_at: Timestamp,
  created_by: z.string(),
});

export const ProcedureStep = z.object({
  text: z.string().min(1).max(500),
  required: z.boolean().default(false),
});
export const Procedure = z.object({
  id: Uuid,
  org_id: Uuid,
  name: Name,
  steps: z.array(ProcedureStep).max(50),
  updated_at: Timestamp,
});
const ProcedureInput = z.object({ name: Name, steps: z.array(ProcedureStep).min(1).max(50) });

/** A call that was made from an incident: who with whom, when, how it ended. What was said stays between them. */
export const IncidentCall = z.object({
  call_id: Uuid,
  with_user_ids: z.array(Uuid).min(1).max(10),
  media: z.enum(['voice', 'video']),
  outcome: z.enum(['answered', 'missed', 'declined', 'failed']),
  started_at: Timestamp,
  duration_ms: z.int().nonnegative().max(86_400_000),
});
/**
 * The talk of an incident's room, as the device of a member read it, filed by him. `document` is a `TranscriptDocument` as the canonical
 * JSON (RFC 8785) that `signature` (Ed25519 by the device key) is over; a reader needs nothing of the box to check it but whose key it is.
 */
export const IncidentTranscript = z.object({
  document: z.string().min(2).max(4_000_000),
  device_id: z.string().max(40),
  device_key: z.string().max(60).meta({ description: 'Ed25519, unpadded base64' }),
  signature: z.string().max(120),
});

const core = { service: 'core', tag: 'incidents' } as const;
const act = {
  ...core,
  method: 'post',
  access: 'incident.act',
  params: ById,
  response: Incident,
  idempotent: true,
} as const;
/** With it, an act is refused with `conflict` when the incident changed since the caller read it. */
const revision = { expected_revision: z.int().optional() };

export const incidentsRoutes = defineRoutes({
  listIncidents: {
    ...core,
    method: 'get',
    path: '/incidents',
    access: 'incident.read',
    summary: 'Incidents, newest first',
    query: PageQuery.extend({
      state: z
        .string()
        .max(80)
        .optional()
        .meta({ description: 'Comma-separated states; `open` stands for new, acknowledged and assigned' }),
      severity: Severity.optional(),
      area_id: Uuid.optional(),
      device_id: Uuid.optional(),
      q: z.string().max(120).optional(),
      since: Timestamp.optional(),
      until: Timestamp.optional(),
    }),
    response: page(Incident),
  },
  createIncident: {
    ...core,
    method: 'post',
    path: '/incidents',
    access: 'incident.create',
    summary: 'Open an incident by hand',
    body: z.object({
      title: z.string().trim().min(1).max(200),
      severity: Severity,
      area_id: Uuid,
      device_id: Uuid.optional(),
      text: Text.default(''),
    }),
    response: Incident,
    status: 201,
    idempotent: true,
  },
  getIncident: {
    ...core,
    method: 'get',
    path: '/incidents/{id}',
    access: 'incident.read',
    summary: 'One incident',
    params: ById,
    response: Incident,
  },
  listTimeline: {
    ...core,
    method: 'get',
    path: '/incidents/{id}/timeline',
    access: 'incident.read',
    summary: 'Everything that happened, oldest first',
    params: ById,
    query: PageQuery,
    response: page(TimelineEntry),
  },
  acknowledgeIncident: {
    ...act,
    path: '/incidents/{id}/acknowledge',
    summary: 'I have seen it. One wins; the other gets `already_done` with the name',
    body: z.object({ ...revision }),
  },
  assignIncident: {
    ...act,
    path: '/incidents/{id}/assign',
    summary: 'Give it to somebody',
    body: z.object({ user_id: Uuid, ...revision }),
  },
  resolveIncident: {
    ...act,
    path: '/incidents/{id}/resolve',
    summary: 'Say how it ended',
    body: z.object({ code: ResolutionCode, note: Text.default(''), ...revision }),
  },
  closeIncident: {
    ...act,
    path: '/incidents/{id}/close',
    summary: 'File it',
    body: z.object({ ...revision }),
  },
  reopenIncident: {
    ...act,
    path: '/incidents/{id}/reopen',
    summary: 'It was not over',
    body: z.object({ reason: Text.min(1), ...revision }),
  },
  setIncidentSeverity: {
    ...act,
    path: '/incidents/{id}/severity',
    summary: 'Raise or lower it',
    body: z.object({ severity: Severity, reason: Text.default('') }),
  },
  tickIncidentStep: {
    ...act,
    path: '/incidents/{id}/steps/{index}',
    summary: 'Tick an operating step off, or on again',
    params: ById.extend({ index: z.coerce.number().int().min(0).max(49) }),
    body: z.object({ done: z.boolean() }),
  },
  commentIncident: {
    ...core,
    method: 'post',
    path: '/incidents/{id}/comments',
    access: 'incident.act',
    summary: 'Add a comment',
    params: ById,
    body: z.object({ text: Text.min(1) }),
    response: TimelineEntry,
    status: 201,
    idempotent: true,
  },
  addIncidentCall: {
    ...core,
    method: 'post',
    path: '/incidents/{id}/calls',
    access: 'incident.act',
    summary: 'Put a call that I made from here on the timeline; the same call again changes nothing',
    params: ById,
    body: IncidentCall,
    response: TimelineEntry,
    status: 201,
  },
  fileTranscript: {
    ...core,
    method: 'post',
    path: '/incidents/{id}/transcript',
    access: 'incident.act',
    summary: 'File what was written in the room of the incident, signed by my device',
    params: ById,
    body: IncidentTranscript,
    bodyBytesMax: 9_000_000,
    response: Attachment,
    status: 201,
  },
  attachToIncident: {
    ...core,
    method: 'post',
    path: '/incidents/{id}/attachments',
    access: 'incident.act',
    summary: 'Attach a picture (re-encoded) or a document',
    params: ById,
    upload: {
      mediaTypes: ['image/png', 'image/jpeg', 'image/webp', 'application/pdf', 'text/plain'],
      bytesMax: 10_000_000,
    },
    response: Attachment,
    status: 201,
  },
  getAttachment: {
    ...core,
    method: 'get',
    path: '/attachments/{id}',
    access: 'incident.read',
    summary: 'Fetch an attachment',
    params: ById,
    download: 'application/octet-stream',
  },
  listProcedures: {
    ...core,
    method: 'get',
    path: '/procedures',
    access: 'incident.read',
    summary: 'Operating procedures',
    response: z.object({ items: z.array(Procedure) }),
  },
  createProcedure: {
    ...core,
    method: 'post',
    path: '/procedures',
    access: 'rule.write',
    summary: 'Add a procedure',
    body: ProcedureInput,
    response: Procedure,
    status: 201,
  },
  putProcedure: {
    ...core,
    method: 'put',
    path: '/procedures/{id}',
    access: 'rule.write',
    summary: 'Change a procedure; open incidents keep their steps',
    params: ById,
    body: ProcedureInput,
    response: Procedure,
  },
  deleteProcedure: {
    ...core,
    method: 'delete',
    path: '/procedures/{id}',
    access: 'rule.write',
    summary: 'Remove a procedure that no rule uses',
    params: ById,
    status: 204,
  },
});
