/**
 * Core's append-only feed: everything that changed, in commit order, revocations included. Services follow it over the
 * internal API; consoles get it through signaling, or over SSE when signaling is silent.
 */
import { z } from 'zod';
import { Permission, ScopeKey } from './permissions.ts';
import { FeedSeq, Timestamp } from './primitives.ts';

export const FeedKind = z.enum([
  'event',
  'incident',
  'timeline',
  'device',
  'area',
  'site',
  'floor',
  'rule',
  'command',
  'user',
  'session',
  'revocation',
  'dead_letter',
  'notification',
  'settings',
  'health',
  'panel_account',
  'alarm_call',
]);
export type FeedKind = z.infer<typeof FeedKind>;

export const FeedEntry = z.object({
  seq: FeedSeq,
  at: Timestamp,
  kind: FeedKind,
  action: z.enum(['created', 'updated', 'deleted']),
  id: z.string(),
  audience: Permission.meta({
    description: 'Who may see it: those with this permission on one of the scopes',
  }),
  scopes: z.array(ScopeKey).meta({ description: 'The thing itself and everything above it' }),
  trace_id: z.string().optional(),
  data: z
    .unknown()
    .optional()
    .meta({ description: 'The resource as the REST API shows it; absent when deleted' }),
});
export type FeedEntry = z.infer<typeof FeedEntry>;

/** Data of a `revocation`: every service drops what carries these, at once. Kept for one access-token life. */
export const Revocation = z.object({
  sid: z.string().optional(),
  sub: z.string().optional(),
  /** Only tokens issued before this are hit: roles changed, the session goes on with a new token. */
  issued_before: Timestamp.optional(),
  reason: z.string(),
  expires_at: Timestamp,
});
export type Revocation = z.infer<typeof Revocation>;

/** A line of the internal feed stream (NDJSON): entries, or a heartbeat at least every second. */
export const FeedLine = z.object({ entries: z.array(FeedEntry), upto: FeedSeq, at: Timestamp });
export type FeedLine = z.infer<typeof FeedLine>;
