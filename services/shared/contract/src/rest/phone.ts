/** Phones of the box: extensions, trunks, the number plan, calls. Design: docs/design/phones.md. */
import { z } from 'zod';
import { Name, Text, Timestamp, Uuid } from '../primitives.ts';

/** An internal number: what people dial, and the user part of the SIP address. */
export const Extension = z.string().regex(/^\d{2,6}$/, 'must be 2 to 6 digits');
/** E.164: plus, country code, number; at most 15 digits. */
export const E164 = z.string().regex(/^\+[1-9]\d{2,14}$/, 'must be + and 3 to 15 digits');
/** What somebody may dial: digits, a leading plus, star codes. Spaces and dashes are taken out before. */
export const Dialled = z.string().regex(/^[+*#]?[\d*#]{1,24}$/, 'must be a number');
/** Where a call leads, as far as rights and caps go. `emergency` needs no right and is never counted. */
export const DestinationClass = z.enum(['internal', 'local', 'national', 'international', 'premium']);
export type DestinationClass = z.infer<typeof DestinationClass>;

const host = z
  .string()
  .max(253)
  .regex(
    /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.|$))+$|^\[[0-9a-fA-F:]+\]$/,
    'must be a host name or an address',
  );
export const SipTransport = z.enum(['udp', 'tcp', 'tls']);
const port = z.int().min(1).max(65_535);

export const ExtensionKind = z.enum(['user', 'phone', 'door', 'group']);
export type ExtensionKind = z.infer<typeof ExtensionKind>;
/** What a number of the box is. A `user` has softphones (the console) and, if he likes, desk phones with the same number. */
export const ExtensionInput = z.object({
  number: Extension,
  kind: ExtensionKind,
  name: Name,
  /** Of kind `user`: whose. */
  user_id: Uuid.nullable().default(null),
  /** Of kind `group`: who rings, all at once; `duty: true` adds whoever is on duty and has a number. */
  members: z.array(Extension).max(50).default([]),
  duty: z.boolean().default(false),
  /** Where unanswered calls go after `ring_s` seconds; null: nowhere. */
  fallback: Extension.nullable().default(null),
  ring_s: z.int().min(5).max(120).default(30),
  /** What may be dialled from it; null: what the roles of its user allow, `internal` for phones and doors. */
  classes: z.array(DestinationClass).nullable().default(null),
  /** Calls out of the house a day; null: the plan's. */
  daily_cap: z.int().min(0).max(10_000).nullable().default(null),
  /** Shown to whom it calls outside, and where calls to it come in. One of the trunks' numbers; null: the plan's. */
  outside_number: E164.nullable().default(null),
  /** The area it stands in: where help is sent to, and where a guard finds the nearest phone. */
  area_id: Uuid.nullable().default(null),
  /** Over the area's: the E911 location of this phone. */
  location_id: Uuid.nullable().default(null),
  /** Of kind `door`: its device in the registry, the camera that shows who rings, the door it opens, the DTMF digit that opens it. */
  device_id: Uuid.nullable().default(null),
  camera_id: Uuid.nullable().default(null),
  door_id: Uuid.nullable().default(null),
  open_digit: z
    .string()
    .regex(/^[\d*#]{1,4}$/)
    .nullable()
    .default(null),
  open_seconds: z.int().min(1).max(60).default(5),
  /** Of kind `door`: whom its button rings. */
  rings: Extension.nullable().default(null),
});
export type ExtensionInput = z.infer<typeof ExtensionInput>;
/** Somebody or something that is registered under a number now. */
export const SipContact = z.object({
  address: z.string(),
  transport: z.enum(['udp', 'tcp', 'tls', 'ws', 'wss']),
  user_agent: z.string(),
  expires_at: Timestamp,
  softphone: z.boolean(),
});
export const ExtensionView = ExtensionInput.extend({
  id: Uuid,
  org_id: Uuid,
  revision: z.int(),
  /** A desk phone or door signs in as this, with the secret that was shown once. */
  auth_username: z.string(),
  has_secret: z.boolean(),
  contacts: z.array(SipContact),
  location_label: z
    .string()
    .nullable()
    .meta({ description: 'Where 911 would send help; null: the site alone' }),
});
export type ExtensionView = z.infer<typeof ExtensionView>;

export const TrunkInput = z.object({
  name: Name,
  host,
  port: port.default(5060),
  transport: SipTransport.default('udp'),
  /** `register`: we sign in there with username and password; `address`: it knows us by our address, and we it by its. */
  kind: z.enum(['register', 'address']),
  username: z
    .string()
    .max(120)
    .regex(/^[^\s;"<>]*$/)
    .default(''),
  /** Further addresses or ranges its calls come from. */
  addresses: z
    .array(z.union([z.ipv4(), z.cidrv4(), z.ipv6(), z.cidrv6()]))
    .max(32)
    .default([]),
  /** Lower is tried first. */
  priority: z.int().min(0).max(100).default(50),
  enabled: z.boolean().default(true),
  /** For calls out of the house; for emergency calls; as the test PSAP of drills. */
  uses: z.array(z.enum(['calls', 'emergency', 'drill'])).min(1),
  /** How it learns where help is needed: PIDF-LO in the INVITE, the provider's own id, or a call-back number per location (ELIN). */
  location_style: z.enum(['pidf-lo', 'provider-id', 'elin', 'none']).default('none'),
  /** Numbers that ring here, and which of ours each rings. */
  numbers: z
    .array(z.object({ number: E164, extension: Extension }))
    .max(500)
    .default([]),
  /** How it wants numbers: `+15550100`, `15550100`, or as dialled without the access digit. */
  number_format: z.enum(['e164', 'e164-no-plus', 'national']).default('e164'),
});
export type TrunkInput = z.infer<typeof TrunkInput>;
export const TrunkState = z.object({
  reachable: z.boolean().nullable().meta({ description: 'Answers OPTIONS; null: not known yet' }),
  registered: z.boolean().nullable().meta({ description: 'null: it takes no registration' }),
  detail: z.string(),
  since: Timestamp.nullable(),
});
export const TrunkView = TrunkInput.extend({
  id: Uuid,
  org_id: Uuid,
  revision: z.int(),
  has_password: z.boolean(),
  state: TrunkState,
});
export type TrunkView = z.infer<typeof TrunkView>;
export const TrunkTest = z.object({
  steps: z.array(z.object({ what: z.string(), ok: z.boolean(), detail: z.string() })),
});

export const NumberPlan = z.object({
  /** ISO 3166-1 alpha-2. Decides emergency numbers and how numbers are read. */
  country: z.string().regex(/^[A-Z]{2}$/),
  country_code: z.string().regex(/^[1-9]\d{0,2}$/),
  /** Dialled before numbers of one's own country and of others, e.g. 1 and 011, or 0 and 00. */
  national_prefix: z.string().regex(/^\d{0,4}$/),
  international_prefix: z.string().regex(/^\d{1,5}$/),
  /** For numbers dialled without an area. */
  area_code: z.string().regex(/^\d{0,6}$/),
  /** Digits that may lead out of the house, e.g. 9; emergency numbers work with and without each of them. */
  outside_prefixes: z.array(z.string().regex(/^\d{1,3}$/)).max(5),
  /** Besides those of the country, e.g. the site's own 5555. Each is dialled as the second. */
  emergency_numbers: z
    .array(z.object({ dialled: z.string().regex(/^\d{2,6}$/), number: z.string().regex(/^\d{3}$/) }))
    .max(20),
  /** Prefixes in E.164 digits with their class, longest wins, e.g. {prefix: "1900", class: "premium"}. */
  prefixes: z.array(z.object({ prefix: z.string().regex(/^\d{1,10}$/), class: DestinationClass })).max(500),
  role_classes: z.record(
    z.enum(['admin', 'supervisor', 'guard', 'viewer', 'integrator']),
    z.array(DestinationClass),
  ),
  daily_cap: z.int().min(0).max(10_000).meta({ description: 'Calls out of the house a day and number' }),
  calls_at_once_max: z.int().min(1).max(500),
  outside_number: E164.nullable(),
  /** Rings for calls to a number nobody has, and for the call-back of an emergency whose caller is gone. */
  desk: Extension.nullable(),
  revision: z.int(),
});
export type NumberPlan = z.infer<typeof NumberPlan>;

/** What JsSIP needs. Made anew before `expires_at`; an emergency call goes without. */
export const Softphone = z.object({
  number: Extension,
  name: z.string(),
  uri: z.string(),
  websocket_url: z.string(),
  username: z.string().meta({ description: '`<unix expiry>:<number>`' }),
  password: z.string().meta({ description: 'base64(HMAC-SHA1(secret, username))' }),
  expires_at: Timestamp,
  classes: z.array(DestinationClass),
});
export type Softphone = z.infer<typeof Softphone>;
export const PhoneBookEntry = z.object({
  number: z.string(),
  name: z.string(),
  kind: ExtensionKind,
  user_id: Uuid.nullable(),
  area_id: Uuid.nullable(),
  registered: z.boolean(),
  busy: z.boolean(),
  camera_id: Uuid.nullable(),
  door_id: Uuid.nullable(),
});
export type PhoneBookEntry = z.infer<typeof PhoneBookEntry>;

export const PhoneCall = z.object({
  id: Uuid,
  call_id: z.string().meta({ description: 'SIP Call-ID of the first leg' }),
  direction: z.enum(['internal', 'inbound', 'outbound', 'emergency', 'drill', 'alarm']),
  from: z.object({ number: z.string(), name: z.string(), user_id: Uuid.nullable() }),
  to: z.object({ number: z.string(), name: z.string(), user_id: Uuid.nullable() }),
  dialled: z.string(),
  answered_by: z.string().nullable(),
  trunk_id: Uuid.nullable(),
  trunk_name: z.string().nullable(),
  state: z.enum(['ringing', 'answered', 'held', 'ended']),
  outcome: z.enum(['answered', 'missed', 'busy', 'refused', 'failed', 'cancelled']).nullable(),
  reason: z.string().nullable().meta({ description: 'In words, why it did not come about' }),
  started_at: Timestamp,
  answered_at: Timestamp.nullable(),
  ended_at: Timestamp.nullable(),
  /** Media goes through the box (rtpengine), or straight between the phones because both relays are down. */
  relayed: z.boolean(),
  door_id: Uuid.nullable(),
  camera_id: Uuid.nullable(),
  incident_id: Uuid.nullable(),
  /** Who opened the door of the station in this call, or was refused; the last ten. */
  openings: z
    .array(
      z.object({
        at: Timestamp,
        by: z.string(),
        how: z.enum(['button', 'digit']),
        ok: z.boolean(),
        detail: z.string(),
      }),
    )
    .default([]),
});
export type PhoneCall = z.infer<typeof PhoneCall>;

/** How a rule's call for an alarm went, person by person. */
export const AlarmCall = z.object({
  id: Uuid,
  incident_id: Uuid,
  text: Text,
  state: z.enum(['calling', 'acknowledged', 'exhausted', 'stopped']),
  attempts: z.array(
    z.object({
      number: z.string(),
      name: z.string(),
      at: Timestamp,
      outcome: z.enum([
        'ringing',
        'speaking',
        'acknowledged',
        'declined',
        'no_answer',
        'busy',
        'failed',
        'no_key',
      ]),
      detail: z.string(),
    }),
  ),
  started_at: Timestamp,
  ended_at: Timestamp.nullable(),
});
export type AlarmCall = z.infer<typeof AlarmCall>;

/** What stands in the way of calls now, for the page of phones. */
export const PhoneHealth = z.object({
  sip: z.boolean(),
  relays: z.array(z.object({ name: z.string(), up: z.boolean(), calls: z.int() })),
  registered: z.int(),
  calls: z.int(),
  banned: z.array(z.object({ address: z.string(), until: Timestamp, reason: z.string() })),
  plan_revision: z.int(),
  plan_applied: z.boolean().meta({ description: 'Kamailio works with what is set here' }),
});
export type PhoneHealth = z.infer<typeof PhoneHealth>;
