/** Cameras: what they are, how they are found and reached, what is recorded of them, how they are turned. */
import { z } from 'zod';
import { Name, Timestamp, Uuid } from '../primitives.ts';
import { PlanPlace } from './registry.ts';
import { WeeklyWindow } from './rules.ts';

/** `main` is recorded; `sub` is a smaller picture for small tiles, fetched only while somebody looks. */
export const StreamRole = z.enum(['main', 'sub']);
export type StreamRole = z.infer<typeof StreamRole>;
export const VideoCodec = z.enum(['h264', 'h265', 'other']);
export const AudioCodec = z.enum(['aac', 'pcmu', 'pcma', 'other', 'none']);

/** A stream as the camera offers it. `url` never carries credentials. */
export const CameraStream = z.object({
  role: StreamRole,
  url: z.string().max(1_000),
  profile_token: z.string().max(120).nullable(),
  video: VideoCodec.nullable(),
  audio: AudioCodec.nullable(),
  width: z.int().nullable(),
  height: z.int().nullable(),
  fps: z.number().nullable(),
  bitrate_bps: z
    .int()
    .nullable()
    .meta({ description: 'Measured over the last minutes; what the camera announces before that' }),
});
export type CameraStream = z.infer<typeof CameraStream>;

/** What is kept. `motion` and `events` keep what lies around a motion, or around any event of the camera. */
export const RecordingMode = z.enum(['off', 'continuous', 'motion', 'events', 'schedule']);
export type RecordingMode = z.infer<typeof RecordingMode>;
const rollMs = z.int().min(0).max(600_000);
const days = z.int().min(1).max(3_650);
const policy = {
  mode: RecordingMode,
  pre_roll_ms: rollMs,
  post_roll_ms: rollMs,
  /** For `schedule`: continuous inside the windows (the site's time zone), nothing outside. */
  schedule: z.array(WeeklyWindow).max(50),
  keep_days: days.nullable().meta({ description: 'null: as long as there is room' }),
  /** Footage around events is kept this long, if that is longer. */
  keep_event_days: days.nullable(),
  quota_bytes: z.int().positive().nullable(),
  storage_id: Uuid.nullable().meta({ description: 'null: the storage with the most room' }),
};
export const RecordingPolicy = z.object({
  mode: policy.mode.default('continuous'),
  pre_roll_ms: policy.pre_roll_ms.default(10_000),
  post_roll_ms: policy.post_roll_ms.default(20_000),
  schedule: policy.schedule.default([]),
  keep_days: policy.keep_days.default(30),
  keep_event_days: policy.keep_event_days.default(null),
  quota_bytes: policy.quota_bytes.default(null),
  storage_id: policy.storage_id.default(null),
});
export type RecordingPolicy = z.infer<typeof RecordingPolicy>;

/** What the camera sees besides its own area: where something happens there, its picture belongs to the incident. */
export const Watches = z.object({
  area_ids: z.array(Uuid).max(200).default([]),
  device_ids: z.array(Uuid).max(500).default([]),
});

/** Now, as the service sees it. `problem` says what is wrong and what to do, in one sentence. */
export const CameraState = z.object({
  connection: z.enum(['online', 'offline', 'unauthorised', 'connecting', 'disabled']),
  recording: z.enum(['recording', 'waiting', 'lost', 'off']),
  /** Since when `recording` has been what it is. */
  since: Timestamp.optional(),
  last_frame_at: Timestamp.optional(),
  motion: z.boolean(),
  bitrate_bps: z.int(),
  clock_offset_ms: z.int().nullable().meta({ description: "The camera's clock minus ours" }),
  events: z.enum(['subscribed', 'none', 'lost']),
  problem: z.string().nullable(),
});
export type CameraState = z.infer<typeof CameraState>;

/** A camera: its device in the registry (same id), how it is reached, and what is kept of it. */
export const Camera = z.object({
  id: Uuid,
  org_id: Uuid,
  site_id: Uuid,
  area_id: Uuid,
  area_name: z.string(),
  name: z.string(),
  enabled: z.boolean(),
  connection: z.enum(['onvif', 'rtsp']),
  address: z.string().max(253).meta({ description: 'host or host:port' }),
  onvif_url: z.string().max(1_000).nullable(),
  username: z.string().max(120).nullable(),
  password_set: z.boolean(),
  manufacturer: z.string().max(120).nullable(),
  model: z.string().max(120).nullable(),
  firmware: z.string().max(120).nullable(),
  serial: z.string().max(120).nullable(),
  mac: z.string().max(17).nullable(),
  profiles: z.array(z.enum(['S', 'T', 'G'])).meta({ description: 'ONVIF profiles it says it conforms to' }),
  streams: z.array(CameraStream).max(8),
  has_ptz: z.boolean(),
  relays: z.int(),
  inputs: z.int(),
  recording: RecordingPolicy,
  motion_hold_ms: z
    .int()
    .min(1_000)
    .max(3_600_000)
    .meta({ description: 'A motion that nobody ends is over after this' }),
  watches: Watches,
  state: CameraState,
  revision: z.int(),
});
export type Camera = z.infer<typeof Camera>;

const Address = z
  .string()
  .trim()
  .regex(
    /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)(:\d{1,5})?$/,
    'must be host or host:port',
  );
const RtspUrl = z
  .string()
  .max(1_000)
  .regex(
    /^rtsps?:\/\/(\[[0-9a-fA-F:.]+\]|[^\s@/:?#[\]]+)(:\d{1,5})?([/?#][^\s@]*)?$/,
    'must be rtsp://host/path, without credentials',
  );
export const Credentials = z.object({ username: z.string().max(120), password: z.string().max(256) });

/** ONVIF by address; a camera without ONVIF by its RTSP addresses (the first is recorded). */
export const CameraInput = z.object({
  name: Name,
  area_id: Uuid,
  place: PlanPlace.nullable().default(null),
  connection: z.enum(['onvif', 'rtsp']).default('onvif'),
  address: Address.optional(),
  rtsp_urls: z.array(RtspUrl).max(2).default([]),
  credentials: Credentials.nullable().default(null),
  main_profile: z.string().max(120).optional().meta({ description: 'ONVIF media profile to record' }),
  sub_profile: z.string().max(120).optional(),
  recording: RecordingPolicy.prefault({}),
  watches: Watches.prefault({}),
});
export type CameraInput = z.infer<typeof CameraInput>;
export const CameraPatch = z.object({
  enabled: z.boolean().optional(),
  address: Address.optional(),
  rtsp_urls: z.array(RtspUrl).max(2).optional(),
  credentials: Credentials.nullable().optional(),
  main_profile: z.string().max(120).optional(),
  sub_profile: z.string().max(120).nullable().optional(),
  /** What is absent stays as it is: no defaults here. */
  recording: z.object(policy).partial().optional(),
  motion_hold_ms: z.int().min(1_000).max(3_600_000).optional(),
  watches: Watches.optional(),
});
export type CameraPatch = z.infer<typeof CameraPatch>;

/** A device that answered a WS-Discovery probe, or an address of a range on which ONVIF answered. */
export const FoundCamera = z.object({
  address: z.string(),
  onvif_url: z.string(),
  name: z.string().nullable(),
  hardware: z.string().nullable(),
  mac: z.string().nullable(),
  endpoint: z.string().nullable().meta({ description: 'WS-Discovery endpoint reference' }),
  camera_id: Uuid.nullable().meta({ description: 'Set when the box has it already' }),
});
export type FoundCamera = z.infer<typeof FoundCamera>;

/** What the wizard learnt of one address: every step that was tried, and what came of it. */
export const ProbeReport = z.object({
  address: z.string(),
  ok: z.boolean(),
  steps: z.array(
    z.object({ name: z.string(), state: z.enum(['ok', 'warning', 'failed']), detail: z.string() }),
  ),
  credentials_index: z.int().nullable().meta({ description: 'Which of the given credentials it took' }),
  onvif_url: z.string().nullable(),
  manufacturer: z.string().nullable(),
  model: z.string().nullable(),
  firmware: z.string().nullable(),
  serial: z.string().nullable(),
  mac: z.string().nullable(),
  profiles: z.array(z.enum(['S', 'T', 'G'])),
  clock_offset_ms: z.int().nullable(),
  media_profiles: z.array(
    z.object({
      token: z.string(),
      name: z.string(),
      video: VideoCodec.nullable(),
      audio: AudioCodec.nullable(),
      width: z.int().nullable(),
      height: z.int().nullable(),
      fps: z.number().nullable(),
      bitrate_bps: z.int().nullable(),
    }),
  ),
  main_profile: z.string().nullable().meta({ description: 'Which one to record' }),
  sub_profile: z.string().nullable(),
  has_ptz: z.boolean(),
  relays: z.int(),
  inputs: z.int(),
  has_events: z.boolean(),
  camera_id: Uuid.nullable().meta({ description: 'Set when the box has it already, under any address' }),
});
export type ProbeReport = z.infer<typeof ProbeReport>;

/** Velocities of the generic space, −1 to 1 (ONVIF PTZ §5.2.3). */
const velocity = z.number().min(-1).max(1);
export const PtzAction = z.discriminatedUnion('action', [
  z.object({
    action: z.literal('move'),
    pan: velocity.default(0),
    tilt: velocity.default(0),
    zoom: velocity.default(0),
    /** The camera stops by itself after this, so that a lost "stop" does not leave it turning. */
    for_ms: z.int().min(100).max(10_000).default(1_000),
  }),
  z.object({ action: z.literal('stop') }),
  z.object({ action: z.literal('home') }),
  z.object({ action: z.literal('preset'), preset: z.string().max(64) }),
]);
export type PtzAction = z.infer<typeof PtzAction>;
export const PtzPreset = z.object({ token: z.string().max(64), name: z.string().max(120) });
export const CameraPort = z.object({
  token: z.string().max(64),
  kind: z.enum(['relay', 'input']),
  on: z.boolean().nullable(),
});
