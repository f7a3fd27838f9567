/** Footage: pieces and time lines, storage, evidence and exports, links for integrators, layouts of the wall. */
import { z } from 'zod';
import { Name, Timestamp, Uuid } from '../primitives.ts';
import { StreamRole } from './camera.ts';

/** A continuous piece of footage, its own MP4 start included, that begins with a key frame. */
export const Segment = z.object({
  id: z.int(),
  from: Timestamp,
  to: Timestamp,
  bytes: z.int(),
  mime: z.string().meta({ description: 'MIME type with codecs parameter (RFC 6381)' }),
  playable: z.boolean().meta({ description: 'False: no browser plays the codec; ask with `transcode`' }),
});
export type Segment = z.infer<typeof Segment>;
const Span = z.object({ from: Timestamp, to: Timestamp });
/** What a timeline shows. Gaps are where footage should be and is not; `why` in words. */
export const CameraTimeline = z.object({
  camera_id: Uuid,
  footage: z.array(Span),
  motion: z.array(Span),
  gaps: z.array(Span.extend({ why: z.string() })),
  locked: z.array(Span),
  events: z.array(z.object({ at: Timestamp, type: z.string(), title: z.string() })),
  /** Oldest and newest footage there is. */
  first_at: Timestamp.optional(),
  last_at: Timestamp.optional(),
});
export type CameraTimeline = z.infer<typeof CameraTimeline>;

/** Somebody looks at footage: who, at what and why stands in the audit log. The other playback routes ask for its id. */
export const PlaybackSession = z.object({
  id: Uuid,
  camera_ids: z.array(Uuid),
  reason: z.string(),
  expires_at: Timestamp,
});

export const WebRtcOffer = z.object({ session_id: Uuid, sdp: z.string(), stream: StreamRole });

/** A directory that takes footage. `missing`: its disk is not the one that was there when it was added. */
export const Storage = z.object({
  id: Uuid,
  name: Name,
  path: z.string(),
  state: z.enum(['ok', 'full', 'missing', 'failed']),
  problem: z.string().nullable(),
  total_bytes: z.int(),
  free_bytes: z.int(),
  used_bytes: z.int().meta({ description: 'By footage' }),
  head_room_bytes: z.int().meta({ description: 'Left free for everything else' }),
  quota_bytes: z.int().nullable(),
});
export type Storage = z.infer<typeof Storage>;
/** At today's bitrates, how long footage is kept before it has to go for newer footage. */
export const StorageForecast = z.object({
  bytes_per_day: z.int(),
  room_bytes: z.int(),
  keeps_days: z.number().nullable().meta({ description: 'null: nothing is recorded' }),
  /** Cameras whose promised days do not fit. */
  short: z.array(
    z.object({ camera_id: Uuid, name: z.string(), promised_days: z.int(), keeps_days: z.number() }),
  ),
});
export type StorageForecast = z.infer<typeof StorageForecast>;

export const EvidenceLock = z.object({
  id: Uuid,
  camera_id: Uuid,
  camera_name: z.string(),
  from: Timestamp,
  to: Timestamp,
  reason: z.string(),
  incident_id: Uuid.nullable(),
  locked_by: z.string(),
  locked_at: Timestamp,
  /** null: until somebody lifts it. */
  until: Timestamp.nullable(),
});
export type EvidenceLock = z.infer<typeof EvidenceLock>;

/** What the box kept of an incident by itself, one for each camera that sees the place. */
export const IncidentClip = z.object({
  camera_id: Uuid,
  camera_name: z.string(),
  from: Timestamp,
  to: Timestamp,
  state: z.enum(['pending', 'ready', 'missing']),
  problem: z.string().nullable(),
  stills: z.array(z.object({ id: Uuid, at: Timestamp })),
});
export type IncidentClip = z.infer<typeof IncidentClip>;

export const Export = z.object({
  id: Uuid,
  name: z.string(),
  camera_ids: z.array(Uuid),
  from: Timestamp,
  to: Timestamp,
  reason: z.string(),
  incident_id: Uuid.nullable(),
  state: z.enum(['running', 'ready', 'failed']),
  progress: z.number().min(0).max(1),
  problem: z.string().nullable(),
  bytes: z.int().nullable(),
  sha256: z.string().nullable(),
  created_at: Timestamp,
  created_by: z.string(),
  expires_at: Timestamp,
});
export type Export = z.infer<typeof Export>;

/** A link that works without signing in, for one camera and one purpose, until it expires or is withdrawn. */
export const CameraLink = z.object({
  id: Uuid,
  camera_id: Uuid,
  kind: z.enum(['snapshot', 'live', 'clip', 'rtsp']),
  name: z.string(),
  from: Timestamp.nullable(),
  to: Timestamp.nullable(),
  expires_at: Timestamp,
  created_by: z.string(),
  last_used_at: Timestamp.optional(),
  uses: z.int(),
});
export type CameraLink = z.infer<typeof CameraLink>;

const Tile = z.object({
  camera_id: Uuid,
  x: z.int().min(0).max(11),
  y: z.int().min(0).max(11),
  w: z.int().min(1).max(12),
  h: z.int().min(1).max(12),
});
export const WallLayout = z.object({
  id: Uuid,
  name: Name,
  columns: z.int().min(1).max(12),
  rows: z.int().min(1).max(12),
  tiles: z.array(Tile).max(64),
  shared: z.boolean(),
  own: z.boolean(),
  owner_name: z.string(),
});
export type WallLayout = z.infer<typeof WallLayout>;
export const WallLayoutInput = WallLayout.pick({
  name: true,
  columns: true,
  rows: true,
  tiles: true,
  shared: true,
});

export const FootageSettings = z.object({
  /** Playing back and exporting ask why. */
  reason_required: z.boolean(),
  /** Incidents of at least this severity get clips and stills by themselves. */
  evidence_before_ms: z.int().min(0).max(600_000),
  evidence_after_ms: z.int().min(0).max(600_000),
  evidence_keep_days: z.int().min(1).max(3_650),
  /** Pictures that are made playable at once for browsers that cannot play their codec. */
  transcodes_max: z.int().min(0).max(16),
});
export type FootageSettings = z.infer<typeof FootageSettings>;
