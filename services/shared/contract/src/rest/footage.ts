/** Footage: watching live, playing back, storage, evidence and exports, links for integrators, layouts of the wall. */
import { z } from 'zod';
import { ById, Name, PageQuery, page, Text, Timestamp, Uuid } from '../primitives.ts';
import { StreamRole } from './camera.ts';
import { defineRoutes } from './route.ts';

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
/** Range of a playback reading: at most a week for a timeline, an hour for segments. */
const TimeRange = z.object({ from: Timestamp, to: Timestamp });

/** Somebody looks at footage: who, at what and why stands in the audit log. The other playback routes ask for its id. */
export const PlaybackSession = z.object({
  id: Uuid,
  camera_ids: z.array(Uuid),
  reason: z.string(),
  expires_at: Timestamp,
});
const InSession = z.object({ session: Uuid });

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

const camera = { service: 'camera', tag: 'footage' } as const;

export const footageRoutes = defineRoutes({
  watchLive: {
    ...camera,
    method: 'get',
    path: '/camera/cameras/{id}/live',
    access: 'camera.live',
    summary: 'Fragmented MP4 without end: the last key frame at once, then everything as it comes',
    params: ById,
    query: z.object({
      stream: StreamRole.default('main'),
      /** What the viewer plays; a stream of another codec is transcoded, and `x-siphera-transcoded: 1` says so. */
      video: z.string().max(60).default('h264'),
    }),
    download: 'video/mp4',
  },
  offerWebRtc: {
    ...camera,
    method: 'post',
    path: '/camera/cameras/{id}/webrtc',
    access: 'camera.live',
    summary: 'Begin a WebRTC view: the box offers (SDP), the browser answers',
    params: ById,
    body: z.object({ stream: StreamRole.default('main') }),
    response: WebRtcOffer,
    status: 201,
  },
  answerWebRtc: {
    ...camera,
    method: 'post',
    path: '/camera/webrtc/{id}/answer',
    access: 'camera.live',
    summary: "The browser's answer (SDP with its candidates)",
    params: ById,
    body: z.object({ sdp: z.string().max(100_000) }),
    status: 204,
  },
  endWebRtc: {
    ...camera,
    method: 'delete',
    path: '/camera/webrtc/{id}',
    access: 'camera.live',
    summary: 'End a WebRTC view',
    params: ById,
    status: 204,
  },
  createPlaybackSession: {
    ...camera,
    method: 'post',
    path: '/camera/playback-sessions',
    access: 'camera.playback',
    summary: 'Say that, and why, footage is looked at',
    body: z.object({
      camera_ids: z.array(Uuid).min(1).max(64),
      reason: Text.max(500).default(''),
      incident_id: Uuid.optional(),
    }),
    response: PlaybackSession,
    status: 201,
  },
  getCameraTimeline: {
    ...camera,
    method: 'get',
    path: '/camera/cameras/{id}/timeline',
    access: 'camera.playback',
    summary: 'Where there is footage, motion, events and gaps',
    params: ById,
    query: TimeRange,
    response: CameraTimeline,
  },
  listSegments: {
    ...camera,
    method: 'get',
    path: '/camera/cameras/{id}/segments',
    access: 'camera.playback',
    summary: 'Pieces of footage, oldest first, the growing one included',
    params: ById,
    query: TimeRange.extend(InSession.shape),
    response: z.object({ items: z.array(Segment) }),
  },
  getSegment: {
    ...camera,
    method: 'get',
    path: '/camera/cameras/{id}/segments/{segment}',
    access: 'camera.playback',
    summary: 'One piece as MP4, whole, or from the key frame at or before `from`',
    params: ById.extend({ segment: z.coerce.number().int().positive() }),
    query: InSession.extend({ from: Timestamp.optional(), transcode: z.enum(['0', '1']).default('0') }),
    download: 'video/mp4',
  },
  getThumbnail: {
    ...camera,
    method: 'get',
    path: '/camera/cameras/{id}/thumbnail',
    access: 'camera.playback',
    summary: 'The key frame at or before a moment, small',
    params: ById,
    query: InSession.extend({
      at: Timestamp,
      width: z.coerce.number().int().min(64).max(1_920).default(240),
    }),
    download: 'image/jpeg',
  },
  getFootageSettings: {
    ...camera,
    method: 'get',
    path: '/camera/settings',
    access: 'camera.live',
    summary: 'How footage is handled on this box',
    response: FootageSettings,
  },
  putFootageSettings: {
    ...camera,
    method: 'put',
    path: '/camera/settings',
    access: 'camera.manage',
    summary: 'Change how footage is handled',
    body: FootageSettings,
    response: FootageSettings,
  },
  listStorages: {
    ...camera,
    method: 'get',
    path: '/camera/storages',
    access: 'camera.manage',
    summary: 'Where footage lies, and how long it is kept at today’s bitrates',
    response: z.object({ items: z.array(Storage), forecast: StorageForecast }),
  },
  createStorage: {
    ...camera,
    method: 'post',
    path: '/camera/storages',
    access: 'camera.manage',
    summary: 'Add an empty directory below the allowed roots as storage',
    body: z.object({
      name: Name,
      path: z.string().regex(/^\/[^\0]{1,500}$/),
      head_room_bytes: z.int().nonnegative().optional(),
      quota_bytes: z.int().positive().nullable().default(null),
    }),
    response: Storage,
    status: 201,
  },
  updateStorage: {
    ...camera,
    method: 'patch',
    path: '/camera/storages/{id}',
    access: 'camera.manage',
    summary: 'Change a storage, or accept a disk that was swapped',
    params: ById,
    body: z.object({
      name: Name.optional(),
      head_room_bytes: z.int().nonnegative().optional(),
      quota_bytes: z.int().positive().nullable().optional(),
      accept_disk: z.literal(true).optional(),
    }),
    response: Storage,
  },
  deleteStorage: {
    ...camera,
    method: 'delete',
    path: '/camera/storages/{id}',
    access: 'camera.manage',
    summary: 'Forget an empty storage',
    params: ById,
    status: 204,
  },
  forecastStorage: {
    ...camera,
    method: 'post',
    path: '/camera/forecast',
    access: 'camera.manage',
    summary: 'The forecast as it would be with further cameras',
    body: z.object({
      bitrates_bps: z.array(z.int().nonnegative()).max(500),
      hours_per_day: z.number().min(0).max(24).default(24),
    }),
    response: StorageForecast,
  },
  getIncidentEvidence: {
    ...camera,
    method: 'get',
    path: '/camera/incidents/{id}/evidence',
    access: 'camera.playback',
    summary: 'Clips and stills that the box kept of an incident',
    params: ById,
    response: z.object({ items: z.array(IncidentClip) }),
  },
  getStill: {
    ...camera,
    method: 'get',
    path: '/camera/stills/{id}',
    access: 'camera.playback',
    summary: 'A still that was kept',
    params: ById,
    download: 'image/jpeg',
  },
  listEvidenceLocks: {
    ...camera,
    method: 'get',
    path: '/camera/locks',
    access: 'camera.playback',
    summary: 'Footage that outlives its retention',
    response: z.object({ items: z.array(EvidenceLock) }),
  },
  createEvidenceLock: {
    ...camera,
    method: 'post',
    path: '/camera/locks',
    access: 'camera.export',
    summary: 'Keep footage beyond its retention',
    body: z.object({
      camera_id: Uuid,
      from: Timestamp,
      to: Timestamp,
      reason: Text.min(1).max(500),
      incident_id: Uuid.nullable().default(null),
      until: Timestamp.nullable().default(null),
    }),
    response: EvidenceLock,
    status: 201,
  },
  deleteEvidenceLock: {
    ...camera,
    method: 'delete',
    path: '/camera/locks/{id}',
    access: 'camera.manage',
    summary: 'Lift a lock',
    params: ById,
    status: 204,
  },
  listExports: {
    ...camera,
    method: 'get',
    path: '/camera/exports',
    access: 'camera.export',
    summary: 'Exports, newest first',
    query: PageQuery,
    response: page(Export),
  },
  createExport: {
    ...camera,
    method: 'post',
    path: '/camera/exports',
    access: 'camera.export',
    summary: 'Export footage of one or many cameras as a signed zip, without encoding it anew',
    body: z.object({
      name: Name.optional(),
      camera_ids: z.array(Uuid).min(1).max(64),
      from: Timestamp,
      to: Timestamp,
      reason: Text.max(500).default(''),
      incident_id: Uuid.nullable().default(null),
    }),
    response: Export,
    status: 202,
  },
  getExport: {
    ...camera,
    method: 'get',
    path: '/camera/exports/{id}',
    access: 'camera.export',
    summary: 'How an export goes',
    params: ById,
    response: Export,
  },
  getExportFile: {
    ...camera,
    method: 'get',
    path: '/camera/exports/{id}/file',
    access: 'camera.export',
    summary: 'The zip',
    params: ById,
    download: 'application/zip',
  },
  deleteExport: {
    ...camera,
    method: 'delete',
    path: '/camera/exports/{id}',
    access: 'camera.export',
    summary: 'Remove an export from the box',
    params: ById,
    status: 204,
  },
  listCameraLinks: {
    ...camera,
    method: 'get',
    path: '/camera/links',
    access: 'camera.manage',
    summary: 'Links that work without signing in',
    response: z.object({ items: z.array(CameraLink) }),
  },
  createCameraLink: {
    ...camera,
    method: 'post',
    path: '/camera/links',
    access: 'camera.live',
    summary:
      'A link to a snapshot, a clip, the live picture or an RTSP re-stream; it carries no more than its maker may',
    body: z.object({
      camera_id: Uuid,
      kind: CameraLink.shape.kind,
      name: Name,
      from: Timestamp.nullable().default(null),
      to: Timestamp.nullable().default(null),
      expires_in_seconds: z
        .int()
        .min(60)
        .max(366 * 86_400)
        .default(86_400),
    }),
    response: CameraLink.extend({ url: z.string().meta({ description: 'Shown this once' }) }),
    status: 201,
  },
  deleteCameraLink: {
    ...camera,
    method: 'delete',
    path: '/camera/links/{id}',
    access: 'camera.live',
    summary: 'Withdraw a link: one’s own, or any with camera.manage',
    params: ById,
    status: 204,
  },
  openCameraLink: {
    ...camera,
    method: 'get',
    path: '/camera/open/{token}',
    access: 'public',
    summary: 'What a link shows',
    params: z.object({ token: z.string().max(128) }),
    download: 'application/octet-stream',
  },
  listWallLayouts: {
    ...camera,
    method: 'get',
    path: '/camera/layouts',
    access: 'camera.live',
    summary: 'Own and shared layouts of the wall',
    response: z.object({ items: z.array(WallLayout) }),
  },
  createWallLayout: {
    ...camera,
    method: 'post',
    path: '/camera/layouts',
    access: 'camera.live',
    summary: 'Keep a layout',
    body: WallLayoutInput,
    response: WallLayout,
    status: 201,
  },
  putWallLayout: {
    ...camera,
    method: 'put',
    path: '/camera/layouts/{id}',
    access: 'camera.live',
    summary: 'Change an own layout',
    params: ById,
    body: WallLayoutInput,
    response: WallLayout,
  },
  deleteWallLayout: {
    ...camera,
    method: 'delete',
    path: '/camera/layouts/{id}',
    access: 'camera.live',
    summary: 'Remove an own layout',
    params: ById,
    status: 204,
  },
});
