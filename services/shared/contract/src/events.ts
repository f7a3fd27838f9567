/** CloudEvents 1.0 (structured JSON) as Siphera takes and returns them. */
import { z } from 'zod';
import { EventClass } from './event-types.ts';
import { FeedSeq, Timestamp, Uuid } from './primitives.ts';

/** Largest event a device may send, in bytes of JSON. Bigger ones are refused at the door. */
export const eventBytesMax = 64 * 1024;
/** Events in one REST batch; with the byte limit it bounds what one request can hold in memory. */
export const eventBatchMax = 500;

/** An event as a device or integrator sends it. `source` and `id` together are its identity (CloudEvents §3.1). */
export const IncomingEvent = z.looseObject({
  specversion: z.literal('1.0'),
  id: z.string().min(1).max(128),
  source: z.string().min(1).max(256),
  type: z.string().min(1).max(80),
  time: Timestamp.optional().meta({ description: 'When it happened, by the device clock' }),
  subject: z.string().max(256).optional().meta({ description: 'Id of the device it is about' }),
  datacontenttype: z.string().max(80).optional(),
  dataschema: z.string().max(256).optional(),
  traceparent: z.string().max(64).optional().meta({ description: 'W3C trace context' }),
  data: z.unknown().optional(),
});
export type IncomingEvent = z.infer<typeof IncomingEvent>;

/** How an event came to be here now; only `live` and `late` may fire edge triggers. */
export const Delivery = z.enum(['live', 'late', 'retained', 'replayed']);
export type Delivery = z.infer<typeof Delivery>;

/** An event as stored and shown. */
export const StoredEvent = z.object({
  specversion: z.literal('1.0'),
  seq: FeedSeq.meta({ description: 'Its place in the feed' }),
  id: z.string(),
  source: z.string(),
  type: z.string(),
  class: EventClass,
  version: z.int(),
  title: z.string(),
  time: Timestamp,
  recordedtime: Timestamp.meta({ description: 'When the box committed it' }),
  late_ms: z.int().meta({ description: 'Device time to receive time, 0 when live' }),
  delivery: Delivery,
  clock_suspect: z
    .boolean()
    .meta({ description: 'The device time was implausible; receive time stands for it' }),
  subject: z.string().optional(),
  device_id: Uuid.optional(),
  device_name: z.string().optional(),
  area_id: Uuid.optional(),
  area_name: z.string().optional(),
  orgid: Uuid,
  siteid: Uuid.optional(),
  trace_id: z.string(),
  data: z.record(z.string(), z.unknown()),
});
export type StoredEvent = z.infer<typeof StoredEvent>;

export const AppendStatus = z.enum(['accepted', 'duplicate', 'dead_lettered']);
/** Verdict on one event, given after the commit that made it durable. */
export const AppendResult = z.object({
  id: z.string(),
  status: AppendStatus,
  seq: FeedSeq.optional(),
  reason: z.string().optional(),
});
export type AppendResult = z.infer<typeof AppendResult>;
