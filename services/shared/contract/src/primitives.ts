/** Small schemas that every wire shares. Times are RFC 3339 in UTC on the wire, UTC milliseconds in databases. */
import { z } from 'zod';

export const Uuid = z.uuid().meta({ description: 'UUIDv7, lower case' });
export const Timestamp = z.iso.datetime({ offset: true }).meta({ description: 'RFC 3339 time' });
/** A name people read: one line, no control characters. */
export const Name = z
  .string()
  .trim()
  .min(1)
  .max(120)
  .regex(/^[^\p{Cc}]*$/u, 'must be one line without control characters');
/** Free text: many lines, no control characters but tab and newline. */
export const Text = z
  .string()
  .max(4_000)
  .regex(/^[^\p{Cc}]*(?:[\t\n\r][^\p{Cc}]*)*$/u, 'must not contain control characters');
export const Tag = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/);
/** Position in the append-only feed. Grows by commit; gaps are possible, going back is not. */
export const FeedSeq = z.int().nonnegative();
export const Severity = z.enum(['info', 'low', 'medium', 'high', 'critical']);
export type Severity = z.infer<typeof Severity>;
export const DeviceKind = z.enum([
  'door',
  'reader',
  'motion',
  'smoke',
  'glass_break',
  'panic',
  'camera',
  'panel',
  'controller',
  'intercom',
]);
export type DeviceKind = z.infer<typeof DeviceKind>;
export const IncidentState = z.enum(['new', 'acknowledged', 'assigned', 'resolved', 'closed']);
export type IncidentState = z.infer<typeof IncidentState>;
export const Email = z.email().max(254);
export const TimeZone = z.string().min(1).max(64).meta({ description: 'IANA time zone, e.g. Europe/Vienna' });

/** One page of a list. `next_cursor` is absent on the last page; `feed_seq` is the feed position of this reading. */
export const page = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), next_cursor: z.string().optional(), feed_seq: FeedSeq });

export const PageQuery = z.object({
  cursor: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});
export const ById = z.object({ id: Uuid });
export const Empty = z.object({});
