/** Events in and out, their types, dead letters, retention, and the live stream. */
import { z } from 'zod';
import { EventClass } from '../event-types.ts';
import { AppendResult, eventBatchMax, eventBytesMax, IncomingEvent, StoredEvent } from '../events.ts';
import { PageQuery, page, Timestamp, Uuid } from '../primitives.ts';
import { defineRoutes } from './route.ts';

export const DeadLetter = z.object({
  id: Uuid,
  org_id: Uuid,
  received_at: Timestamp,
  channel: z.enum(['mqtt', 'rest', 'panel', 'camera', 'sip', 'system']),
  origin: z.string().meta({ description: 'Topic, key name or service it came from' }),
  code: z.enum([
    'not_json',
    'too_large',
    'schema',
    'unknown_type',
    'unknown_device',
    'foreign_device',
    'unknown_topic',
    'unsupported_version',
    'processing_failed',
  ]),
  reason: z.string(),
  bytes: z.int(),
  payload: z.string().meta({ description: 'The first 4 KiB as text' }),
});
export const EventTypeInfo = z.object({
  type: z.string(),
  class: EventClass,
  version: z.int(),
  title: z.string(),
  alarm: z.boolean(),
  schema: z.looseObject({}),
});
export const RetentionPolicy = z.object({
  class: EventClass,
  days_max: z.int().min(1).max(3_650),
  bytes_max: z.int().min(1_000_000).nullable(),
});
export const RetentionForecast = z.object({
  class: EventClass,
  rows: z.int(),
  bytes: z.int(),
  bytes_per_day: z.int().meta({ description: 'Growth over the last 24 hours' }),
  oldest_at: Timestamp.optional(),
  days_kept: z
    .number()
    .nullable()
    .meta({ description: 'What the limits allow at this rate; null when nothing arrives' }),
});
export const Retention = z.object({
  policies: z.array(RetentionPolicy),
  forecast: z.array(RetentionForecast),
  database_bytes: z.int(),
  disk_free_bytes: z.int(),
});

const core = { service: 'core', tag: 'events' } as const;

export const eventsRoutes = defineRoutes({
  appendEvents: {
    ...core,
    method: 'post',
    path: '/events',
    access: 'event.write',
    summary: 'Send events; answers after the commit',
    body: z.union([IncomingEvent, z.array(z.unknown()).min(1).max(eventBatchMax)]),
    bodyBytesMax: 4 * 1024 * 1024 + eventBytesMax,
    response: z.object({ results: z.array(AppendResult) }),
    idempotent: true,
  },
  listEvents: {
    ...core,
    method: 'get',
    path: '/events',
    access: 'event.read',
    summary: 'Events, newest first; heartbeats and readings only when asked for by class, type or device',
    query: PageQuery.extend({
      type: z.string().max(80).optional(),
      class: EventClass.optional(),
      device_id: Uuid.optional(),
      area_id: Uuid.optional(),
      since: Timestamp.optional(),
      until: Timestamp.optional(),
      q: z.string().max(120).optional(),
    }),
    response: page(StoredEvent),
  },
  getEvent: {
    ...core,
    method: 'get',
    path: '/events/{seq}',
    access: 'event.read',
    summary: 'One event',
    params: z.object({ seq: z.coerce.number().int().nonnegative() }),
    response: StoredEvent,
  },
  listEventTypes: {
    ...core,
    method: 'get',
    path: '/event-types',
    access: 'event.read',
    summary: 'Event types with their schemas',
    response: z.object({ items: z.array(EventTypeInfo) }),
  },
  listDeadLetters: {
    ...core,
    method: 'get',
    path: '/dead-letters',
    access: 'system.read',
    summary: 'What could not be taken as an event, and why',
    query: PageQuery,
    response: page(DeadLetter),
  },
  deleteDeadLetter: {
    ...core,
    method: 'delete',
    path: '/dead-letters/{id}',
    access: 'system.manage',
    summary: 'Drop a dead letter',
    params: z.object({ id: Uuid }),
    status: 204,
  },
  replayDeadLetter: {
    ...core,
    method: 'post',
    path: '/dead-letters/{id}/replay',
    access: 'system.manage',
    summary: 'Try it again, e.g. after the device was added; counts as replayed',
    params: z.object({ id: Uuid }),
    response: AppendResult,
  },
  getRetention: {
    ...core,
    method: 'get',
    path: '/retention',
    access: 'system.read',
    summary: 'How long events are kept, and what that will cost',
    response: Retention,
  },
  putRetention: {
    ...core,
    method: 'put',
    path: '/retention',
    access: 'system.manage',
    summary: 'Set how long events are kept',
    body: z.object({ policies: z.array(RetentionPolicy) }),
    response: Retention,
  },
  stream: {
    ...core,
    method: 'get',
    path: '/stream',
    access: 'signed_in',
    summary: 'The live feed as server-sent events; `Last-Event-ID` or `after` resumes',
    query: z.object({ after: z.coerce.number().int().nonnegative().optional() }),
    download: 'text/event-stream',
  },
});
