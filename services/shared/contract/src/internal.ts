/** Core's internal API (`/internal/v1`), for the box's own services only: a unix socket natively, mTLS in Compose. */
import { z } from 'zod';
import { Revocation } from './feed.ts';
import { AppendResult, IncomingEvent } from './events.ts';
import { AgentCommandResult, CommandName } from './mqtt.ts';
import { Grant, Role, ScopeKey } from './permissions.ts';
import { DeviceInput } from './rest/registry.ts';
import { FeedSeq, IncidentState, Severity, Timestamp, Uuid } from './primitives.ts';

export const internalPaths = {
  /** POST: answers after the commit. */
  events: '/internal/v1/events',
  /** GET ?after=seq&kinds=a,b: NDJSON of FeedLine without end; `after` absent means from now on, `kinds` absent all. */
  feed: '/internal/v1/feed',
  /** GET: {keys: JWK[]} */
  jwks: '/internal/v1/jwks',
  /** GET: revocations that still matter. */
  revocations: '/internal/v1/revocations',
  /** POST: one audit row on behalf of a service. */
  audit: '/internal/v1/audit',
  /**
   * GET ?kind=camera: devices of a kind with the scopes that contain them, and the feed position of this reading.
   * POST {actor, device}: adds one on behalf of somebody, who must hold `registry.write` in its area.
   */
  devices: '/internal/v1/devices',
  /** POST {actor, device_id}: removes one on behalf of somebody. */
  removeDevice: '/internal/v1/devices/remove',
  /** POST: how a command went that core's feed carried to a service (cameras). */
  commandResult: '/internal/v1/command-result',
  /** POST: a line of kind `evidence` on an incident's timeline. */
  evidence: '/internal/v1/evidence',
  /** GET ?kind=user&id=: what somebody may do now, for what outlives his tokens (links). */
  grants: '/internal/v1/grants',
  /**
   * GET: everybody, with roles, sites and grants, and the feed position of this reading. Entries of kind `user` (people, groups,
   * roles) and `site` change it: whoever keeps it reads it again.
   */
  people: '/internal/v1/people',
  /** POST: is this the password of that user? Throttled like a login (`too_many_attempts`), and so is the address. */
  checkPassword: '/internal/v1/check-password',
  /** POST: ends a device session on behalf of its user (a device for talk was removed); one that ended before is done. */
  revokeSession: '/internal/v1/revoke-session',
  /** POST: a line of kind `notification` on an incident's timeline; the same text and data again change nothing. */
  incidentLine: '/internal/v1/incident-line',
  /** POST: a push reached nobody's screen; while the incident is new, core goes on by e-mail. Once for each incident and user. */
  pushUndelivered: '/internal/v1/push-undelivered',
  /** POST: somebody went on or off duty; told by signaling, shown by `people` and its feed entries. */
  duty: '/internal/v1/duty',
  /**
   * POST: opens an incident that no rule decides on (an emergency call), or adds a line to the open one with the same key.
   * Answers its id.
   */
  openIncident: '/internal/v1/incidents',
  /** POST: a service acknowledges an incident for somebody who pressed a key on his phone; done twice is done. */
  acknowledgeIncident: '/internal/v1/incidents/acknowledge',
  /** POST {actor, device_id, name, args, reason}: the command path, for somebody who must hold `device.command` there. */
  command: '/internal/v1/command',
  /** GET: sites and areas with their parents and scopes, and the feed position of this reading. */
  places: '/internal/v1/places',
  /** POST: a service says how it is, every 5 s; silence of 15 s is shown as down. */
  heartbeat: '/internal/v1/heartbeat',
  /**
   * POST, root only: a token, a device certificate and a panel account for the self-test of this run. The installer runs
   * it before there is a first admin, so it works on a box that is not set up too.
   */
  selfTest: '/internal/v1/self-test',
  /** POST {run_id}, root only: the run is over, all that was made for it goes. */
  selfTestEnd: '/internal/v1/self-test/end',
  /** POST, root only: a new one-time setup code for the first admin. */
  setupCode: '/internal/v1/setup-code',
  /** POST, root only: a new password for an admin who lost it. Ends the admin's sessions. */
  resetAdmin: '/internal/v1/reset-admin',
} as const;

/**
 * Header of the three root-only calls: the content of the file CORE_ADMIN_KEY_FILE names, readable to root and core alone.
 * Every service of the box can open the socket, so the socket itself cannot tell root from panel.
 */
export const internalAdminHeader = 'x-siphera-admin';

/** Answer of `setupCode`: a new code, which makes older ones void. Refused with `setup_done` once there is an admin. */
export const InternalSetupCode = z.object({ code: z.string(), expires_at: Timestamp });

/** Body of `resetAdmin`: the oldest admin when `email` is absent, a made-up password when `password` is. */
export const InternalResetAdmin = z.object({
  email: z.string().max(254).optional(),
  password: z.string().min(12).max(256).optional(),
});
export const InternalAdminReset = z.object({ email: z.string(), name: z.string(), password: z.string() });

export const InternalAppend = z.object({
  channel: z.enum(['panel', 'camera', 'sip', 'system']),
  events: z.array(IncomingEvent).min(1).max(500),
});
export const InternalAppended = z.object({ results: z.array(AppendResult) });

export const InternalAudit = z.object({
  actor: z.object({
    kind: z.enum(['user', 'api_key', 'service', 'device']),
    id: z.string(),
    name: z.string(),
  }),
  org_id: Uuid,
  action: z.string().max(80),
  target: z.string().max(200),
  detail: z.record(z.string(), z.unknown()),
});

/** Who asked a service: passed on, so that core authorises and audits the person and not the service. */
export const InternalActor = z.object({
  kind: z.enum(['user', 'api_key', 'service']),
  id: z.string(),
  name: z.string(),
  org_id: Uuid,
  grants: z.array(Grant),
  address: z.string(),
});
export type InternalActor = z.infer<typeof InternalActor>;
export const InternalDevice = z.object({
  id: Uuid,
  org_id: Uuid,
  site_id: Uuid,
  site_time_zone: z.string(),
  area_id: Uuid,
  area_name: z.string(),
  name: z.string(),
  external_id: z.string().nullable(),
  scopes: z.array(ScopeKey).meta({ description: 'Itself and everything above it' }),
});
export type InternalDevice = z.infer<typeof InternalDevice>;
/** A place in which something may be added, with what lies above it (itself included). */
export const InternalArea = z.object({
  id: Uuid,
  org_id: Uuid,
  site_id: Uuid,
  name: z.string(),
  scopes: z.array(ScopeKey),
});
export type InternalArea = z.infer<typeof InternalArea>;
export const InternalDevices = z.object({
  items: z.array(InternalDevice),
  areas: z.array(InternalArea).optional(),
  upto: FeedSeq,
});
export const InternalNewDevice = z.object({ actor: InternalActor, device: DeviceInput });
export const InternalRemoveDevice = z.object({ actor: InternalActor, device_id: Uuid });
export const InternalCommandResult = AgentCommandResult.omit({ at: true });
export const InternalEvidence = z.object({
  incident_id: Uuid,
  device_id: Uuid,
  text: z.string().max(500),
  data: z.record(z.string(), z.unknown()),
});

export const InternalPerson = z.object({
  id: Uuid,
  org_id: Uuid,
  name: z.string(),
  active: z.boolean().meta({ description: 'Who is not has no roles, sites and grants' }),
  roles: z.array(z.object({ role: Role, scope: ScopeKey, scope_name: z.string() })),
  site_ids: z
    .array(Uuid)
    .meta({ description: 'Sites that his roles reach; all of the org for a role on it' }),
  grants: z.array(Grant),
  on_duty: z.boolean().default(false),
});
export type InternalPerson = z.infer<typeof InternalPerson>;
export const InternalPeople = z.object({ items: z.array(InternalPerson), upto: FeedSeq });
export const InternalCheckPassword = z.object({
  user_id: Uuid,
  password: z.string().max(256),
  address: z.string(),
});
export const InternalPasswordChecked = z.object({ ok: z.boolean() });
export const InternalDuty = z.object({ user_id: Uuid, on_duty: z.boolean(), at: Timestamp });
export const InternalOpenIncident = z.object({
  key: z.string().max(200).meta({ description: 'While an incident with it is open, lines go there' }),
  org_id: Uuid,
  site_id: Uuid,
  area_id: Uuid.nullable(),
  device_id: Uuid.nullable(),
  title: z.string().min(1).max(200),
  severity: Severity,
  text: z.string().max(500),
  data: z.record(z.string(), z.unknown()),
  test: z.boolean().default(false),
});
export const InternalOpenedIncident = z.object({ incident_id: Uuid, opened: z.boolean() });
export const InternalAcknowledgeIncident = z.object({
  incident_id: Uuid,
  /** Whose phone it was; null: a number without a user. */
  user_id: Uuid.nullable(),
  name: z.string().max(120),
  text: z.string().max(500),
});
export const InternalAcknowledged = z.object({ state: IncidentState, changed: z.boolean() });
export const InternalCommand = z.object({
  actor: InternalActor,
  device_id: Uuid,
  name: CommandName,
  args: z.record(z.string(), z.unknown()).default({}),
  reason: z.string().max(500),
  incident_id: Uuid.nullable().default(null),
});
export const InternalCommandGiven = z.object({ command_id: Uuid });
export const InternalPlaces = z.object({
  sites: z.array(z.object({ id: Uuid, org_id: Uuid, name: z.string(), time_zone: z.string() })),
  areas: z.array(InternalArea.extend({ parent_id: Uuid.nullable() })),
  upto: FeedSeq,
});
/** Data of a feed entry of kind `alarm_call`: whom to ring for an incident. `number` null: the user's own. */
export const AlarmCallOrder = z.object({
  id: Uuid,
  org_id: Uuid,
  incident_id: Uuid,
  say: z.string(),
  targets: z.array(z.object({ user_id: Uuid.nullable(), number: z.string().nullable() })),
  rounds: z.int(),
  ring_s: z.int(),
});
export type AlarmCallOrder = z.infer<typeof AlarmCallOrder>;
export const InternalRevokeSession = z.object({ user_id: Uuid, sid: Uuid, reason: z.string().max(200) });
export const InternalIncidentLine = z.object({
  incident_id: Uuid,
  text: z.string().max(500),
  data: z.record(z.string(), z.unknown()),
});
export const InternalPushUndelivered = z.object({
  incident_id: Uuid,
  user_id: Uuid,
  reason: z.string().max(300),
});

/** `active` is false for who was disabled, deleted or revoked, or never was: then there are no grants. */
export const InternalGrants = z.object({ active: z.boolean(), grants: z.array(Grant) });
export type InternalGrants = z.infer<typeof InternalGrants>;

export const ServiceState = z.enum(['ok', 'degraded', 'down']);
export const InternalHeartbeat = z.object({
  service: z.enum(['panel', 'signaling', 'camera', 'sip-bridge']),
  state: ServiceState,
  version: z.string(),
  rss_bytes: z.int(),
  checks: z.array(z.object({ name: z.string(), state: ServiceState, detail: z.string() })),
});
export type InternalHeartbeat = z.infer<typeof InternalHeartbeat>;

export const InternalRevocations = z.object({
  upto: FeedSeq,
  items: z.array(Revocation),
});

/** What the self-test of the CLI needs; all of it is deleted when the run ends or after ten minutes. */
export const InternalSelfTest = z.object({
  run_id: z.string(),
  access_token: z.string(),
  api_key: z.string(),
  org_id: Uuid,
  device_id: Uuid,
  device_certificate_pem: z.string(),
  device_key_pem: z.string(),
  ca_pem: z.string(),
  panel_account: z.string(),
  severity: Severity,
});
