/**
 * The registry of event types: class, schema of `data` per version, and what consoles call it.
 * An event whose type is not here, or whose data does not fit, goes to the dead letters with the reason.
 */
import { z } from 'zod';
import { Severity } from './primitives.ts';

/**
 * The class decides retention, the maximum age at which a late event still fires, and whether the feed carries it.
 * `late_ms_max: null` means never too old: a panic that waited a day in a queue still rings.
 */
export const eventClasses = {
  panic: { alarm: true, late_ms_max: null },
  duress: { alarm: true, late_ms_max: null },
  fire: { alarm: true, late_ms_max: null },
  intrusion: { alarm: true, late_ms_max: 24 * 3_600_000 },
  tamper: { alarm: true, late_ms_max: 24 * 3_600_000 },
  panel: { alarm: true, late_ms_max: 24 * 3_600_000 },
  access: { alarm: false, late_ms_max: 3_600_000 },
  door: { alarm: false, late_ms_max: 3_600_000 },
  motion: { alarm: false, late_ms_max: 900_000 },
  health: { alarm: false, late_ms_max: 3_600_000 },
  system: { alarm: false, late_ms_max: 3_600_000 },
  telemetry: { alarm: false, late_ms_max: 60_000 },
} as const;
export type EventClass = keyof typeof eventClasses;
export const EventClass = z.enum(Object.keys(eventClasses) as [EventClass, ...EventClass[]]);

export type EventTypeDefinition = {
  class: EventClass;
  version: number;
  title: string;
  /** `edge` may trigger once per arrival; `level` describes a state that holds until the next one. */
  nature: 'edge' | 'level';
  data: z.ZodType;
};

const note = z.string().max(500).optional();
const door = z.looseObject({ note, reader: z.string().max(120).optional() });
const access = z.looseObject({
  credential: z.string().max(120).optional().meta({ description: 'Badge id; redacted in logs' }),
  holder: z.string().max(120).optional(),
  reason: z.string().max(120).optional(),
  direction: z.enum(['in', 'out']).optional(),
});
const sensor = z.looseObject({ note, value: z.number().optional(), unit: z.string().max(20).optional() });
const panel = z.looseObject({
  account: z.string().max(16),
  partition: z.string().max(8).optional(),
  zone: z.string().max(8).optional(),
  zone_name: z.string().max(120).optional(),
  user: z.string().max(16).optional(),
  code: z.string().max(8).meta({ description: 'Contact ID or SIA event code as sent' }),
  code_name: z.string().max(120),
  qualifier: z.enum(['event', 'restore', 'status']).optional(),
  protocol: z.enum(['ADM-CID', 'SIA-DCS', 'NULL', 'OTHER']),
  severity: Severity.optional(),
  text: z.string().max(500).optional(),
});
/** `topic` is the ONVIF topic as the camera sent it (Core §9.4.3), `source` what in the camera it is about. */
const analytics = z.looseObject({
  note,
  topic: z.string().max(200).optional(),
  source: z.string().max(120).optional(),
});
const recording = z.looseObject({
  since: z.string().max(40).optional().meta({ description: 'RFC 3339: the last footage there is' }),
  reason: z.string().max(300),
});
const emergency = z.looseObject({
  number: z.string().max(24),
  caller: z.string().max(120),
  location: z.string().max(200),
  callback: z.string().max(24),
  note,
});
const trunk = z.looseObject({ trunk: z.string().max(120), reason: z.string().max(300) });
const storage = z.looseObject({ storage: z.string().max(120), reason: z.string().max(300) });

const define = (
  klass: EventClass,
  title: string,
  data: z.ZodType,
  nature: 'edge' | 'level' = 'edge',
): EventTypeDefinition => ({ class: klass, version: 1, title, nature, data });

export const eventTypes: Readonly<Record<string, EventTypeDefinition>> = {
  'door.forced': define('intrusion', 'Door forced', door),
  'door.held': define('intrusion', 'Door held open', door),
  'door.opened': define('door', 'Door opened', door, 'level'),
  'door.closed': define('door', 'Door closed', door, 'level'),
  'door.locked': define('door', 'Door locked', door, 'level'),
  'door.unlocked': define('door', 'Door unlocked', door, 'level'),
  'access.granted': define('access', 'Access granted', access),
  'access.denied': define('access', 'Access denied', access),
  'motion.started': define('motion', 'Motion', sensor),
  'motion.ended': define('motion', 'Motion ended', sensor, 'level'),
  'smoke.alarm': define('fire', 'Smoke', sensor),
  'smoke.restored': define('fire', 'Smoke cleared', sensor, 'level'),
  'glass_break.alarm': define('intrusion', 'Glass break', sensor),
  'panic.pressed': define('panic', 'Panic button', sensor),
  'duress.pressed': define('duress', 'Duress code', access),
  'tamper.alarm': define('tamper', 'Tamper', sensor),
  'tamper.restored': define('tamper', 'Tamper cleared', sensor, 'level'),
  'battery.low': define('health', 'Battery low', sensor),
  'battery.restored': define('health', 'Battery restored', sensor, 'level'),
  'power.lost': define('health', 'Mains power lost', sensor),
  'power.restored': define('health', 'Mains power restored', sensor, 'level'),
  'device.online': define('health', 'Device online', sensor, 'level'),
  'device.offline': define('health', 'Device offline', sensor),
  'device.heartbeat': define('telemetry', 'Heartbeat', sensor, 'level'),
  'telemetry.reading': define('telemetry', 'Reading', z.looseObject({ note }), 'level'),
  'intercom.called': define('access', 'Intercom call', access),
  'intercom.missed': define('access', 'Visitor missed', access),
  'emergency.called': define('panic', 'Emergency call', emergency),
  'emergency.failed': define('panic', 'Emergency call reached nobody', emergency),
  'phone.trunk_lost': define('health', 'Trunk lost', trunk),
  'phone.trunk_restored': define('health', 'Trunk back', trunk, 'level'),
  'phone.registration_lost': define('health', 'Phone lost', sensor),
  'phone.registration_restored': define('health', 'Phone back', sensor, 'level'),
  'phone.alarm_calls_many': define('health', 'Many alarm calls', sensor),
  'panel.alarm': define('panel', 'Panel alarm', panel),
  'panel.fire': define('fire', 'Panel fire alarm', panel),
  'panel.panic': define('panic', 'Panel panic alarm', panel),
  'panel.duress': define('duress', 'Panel duress', panel),
  'panel.tamper': define('tamper', 'Panel tamper', panel),
  'panel.restored': define('panel', 'Panel alarm restored', panel, 'level'),
  'panel.trouble': define('health', 'Panel trouble', panel),
  'panel.opened': define('panel', 'Panel disarmed', panel, 'level'),
  'panel.closed': define('panel', 'Panel armed', panel, 'level'),
  'panel.test': define('health', 'Panel test', panel),
  'panel.event': define('panel', 'Panel event', panel),
  'panel.supervision_lost': define(
    'tamper',
    'Panel silent',
    z.looseObject({ account: z.string().max(16), silent_ms: z.int() }),
  ),
  'panel.supervision_restored': define(
    'health',
    'Panel heard again',
    z.looseObject({ account: z.string().max(16) }),
    'level',
  ),
  'camera.line_crossed': define('motion', 'Line crossed', analytics),
  'camera.intrusion': define('motion', 'Field entered', analytics),
  'camera.analytics': define('motion', 'Camera analytics', analytics),
  'camera.input_on': define('door', 'Camera input on', analytics, 'level'),
  'camera.input_off': define('door', 'Camera input off', analytics, 'level'),
  'camera.recording_lost': define('tamper', 'Recording lost', recording),
  'camera.recording_restored': define('health', 'Recording again', recording, 'level'),
  'camera.storage_failed': define('tamper', 'Footage storage failed', storage),
  'camera.storage_restored': define('health', 'Footage storage works again', storage, 'level'),
  'camera.retention_short': define('health', 'Footage is kept for less than promised', storage),
  'system.test_alarm': define(
    'system',
    'Test alarm',
    z.looseObject({ run_id: z.string().max(64), channel: z.string().max(20) }),
  ),
  'system.disk_low': define('system', 'Disk nearly full', z.looseObject({ free_bytes: z.int() })),
  'system.clock_skew': define('system', 'Device clock is wrong', z.looseObject({ skew_ms: z.int() })),
  'system.stream_gap': define(
    'system',
    'Events missing from a device',
    z.looseObject({ missing: z.int(), stream: z.string().max(64) }),
  ),
};
