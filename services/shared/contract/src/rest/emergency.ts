/** Emergency calls (47 CFR 9.16, RAY BAUM's Act §506): places that help can be sent to, calls, drills. Design: docs/design/phones.md. */
import { z } from 'zod';
import { Name, Text, Timestamp, Uuid } from '../primitives.ts';
import { E164, Extension } from './phone.ts';

/** Civic address elements of RFC 5139 (names of RFC 4776), as text; language of the place. */
export const CivicAddress = z.object({
  country: z.string().regex(/^[A-Z]{2}$/),
  A1: z.string().max(80).meta({ description: 'State, province' }),
  A2: z.string().max(80).default('').meta({ description: 'County' }),
  A3: z.string().max(80).meta({ description: 'City' }),
  RD: z.string().max(120).meta({ description: 'Road without its type, or whole' }),
  STS: z.string().max(40).default('').meta({ description: 'Street suffix: Avenue, St' }),
  PRD: z.string().max(20).default('').meta({ description: 'Leading direction' }),
  POD: z.string().max(20).default('').meta({ description: 'Trailing direction' }),
  HNO: z.string().max(20).meta({ description: 'House number' }),
  HNS: z.string().max(20).default('').meta({ description: 'House number suffix' }),
  PC: z.string().max(20).default('').meta({ description: 'Postal code' }),
  BLD: z.string().max(80).default('').meta({ description: 'Building' }),
  FLR: z.string().max(40).default('').meta({ description: 'Floor' }),
  UNIT: z.string().max(40).default('').meta({ description: 'Unit, apartment' }),
  ROOM: z.string().max(80).default('').meta({ description: 'Room' }),
  LMK: z.string().max(120).default('').meta({ description: 'Landmark' }),
  LOC: z.string().max(200).default('').meta({ description: 'Where in it, in words' }),
  NAM: z.string().max(120).default('').meta({ description: 'Name of the place: the company' }),
});
export type CivicAddress = z.infer<typeof CivicAddress>;

/** A dispatchable location: enough to find the caller, not only the building. */
export const EmergencyLocationInput = z.object({
  label: Name.meta({ description: 'As guards call it. Readable on the LAN without signing in' }),
  site_id: Uuid,
  /** The areas whose devices and phones are here; each area is in one location at most. */
  area_ids: z.array(Uuid).max(200).default([]),
  /** LAN ranges from which an unknown phone calls from here. */
  networks: z
    .array(z.union([z.ipv4(), z.cidrv4(), z.ipv6(), z.cidrv6()]))
    .max(100)
    .default([]),
  civic: CivicAddress,
  /** Rings the caller back: a number of a trunk. With style `elin` it is also what tells the place. */
  callback_number: E164.nullable().default(null),
  provider_id: z
    .string()
    .max(120)
    .regex(/^[^\s;"<>]*$/)
    .default(''),
  /** Where callers of this site are placed when nothing better is known. One for each site. */
  is_default: z.boolean().default(false),
  /** Told to whoever calls while both media relays are down: the next desk phone. */
  nearest_phone: Extension.nullable().default(null),
});
export type EmergencyLocationInput = z.infer<typeof EmergencyLocationInput>;
/** `warning`: help would come, but not straight to the caller. */
export const LocationFinding = z.object({
  level: z.enum(['error', 'warning']),
  field: z.string(),
  message: z.string(),
});
export const EmergencyLocation = EmergencyLocationInput.extend({
  id: Uuid,
  org_id: Uuid,
  revision: z.int(),
  findings: z.array(LocationFinding),
  validated_at: Timestamp.nullable().meta({ description: 'When somebody confirmed it with the provider' }),
  validated_by: z.string().nullable(),
  last_drill: z.object({ at: Timestamp, passed: z.boolean() }).nullable(),
});
export type EmergencyLocation = z.infer<typeof EmergencyLocation>;
export const LocationCoverage = z.object({
  areas: z.array(
    z.object({
      area_id: Uuid,
      area_name: z.string(),
      location_id: Uuid.nullable(),
      by: z.enum(['area', 'parent', 'site', 'none']),
      phones: z.int(),
    }),
  ),
  extensions: z.array(
    z.object({
      number: Extension,
      name: z.string(),
      location_id: Uuid.nullable(),
      by: z.enum(['phone', 'area', 'site', 'none']),
      callback: z.string().nullable(),
    }),
  ),
  trunks: z.array(
    z.object({
      trunk_id: Uuid,
      name: z.string(),
      style: z.string(),
      missing: z.array(z.string()).meta({ description: 'What locations lack for its style' }),
    }),
  ),
});

export const EmergencyCall = z.object({
  id: Uuid,
  kind: z
    .enum(['emergency', 'test', 'drill'])
    .meta({ description: '`test`: 933; `drill`: to the test PSAP' }),
  number: z.string(),
  dialled: z.string(),
  caller: z.object({
    number: z.string().nullable(),
    name: z.string(),
    user_id: Uuid.nullable(),
    address: z.string(),
    /** Whether it was proved who calls; an emergency call goes anyway. */
    verified: z.boolean(),
  }),
  location_id: Uuid.nullable(),
  location_label: z.string().nullable(),
  location_by: z.enum(['caller', 'phone', 'area', 'last_known', 'network', 'site', 'none']),
  site_id: Uuid.nullable(),
  area_id: Uuid.nullable(),
  callback_number: z.string().nullable(),
  callback_until: Timestamp.nullable().meta({ description: 'Until when that number rings the caller' }),
  trunk_id: Uuid.nullable(),
  trunk_name: z.string().nullable(),
  style: z.string().nullable(),
  state: z.enum(['dialling', 'ringing', 'answered', 'ended', 'failed']),
  started_at: Timestamp,
  sent_at: Timestamp.nullable().meta({ description: 'When the INVITE left on a trunk' }),
  answered_at: Timestamp.nullable(),
  ended_at: Timestamp.nullable(),
  attempts: z.array(
    z.object({ trunk_id: Uuid.nullable(), name: z.string(), code: z.int().nullable(), reason: z.string() }),
  ),
  incident_id: Uuid.nullable(),
  callbacks: z.array(z.object({ at: Timestamp, from: z.string(), reached: z.boolean() })),
});
export type EmergencyCall = z.infer<typeof EmergencyCall>;

export const DrillInput = z.object({
  name: Name,
  site_id: Uuid,
  location_ids: z.array(Uuid).max(500).default([]).meta({ description: 'Empty: all of the site' }),
});
export const DrillResult = z.object({
  location_id: Uuid,
  label: z.string(),
  passed: z.boolean(),
  /** Each in words with its figure: INVITE out, location as sent, answer, notice at the desk, call-back. */
  steps: z.array(
    z.object({ what: z.string(), ok: z.boolean(), ms: z.number().nullable(), detail: z.string() }),
  ),
});
export const Drill = DrillInput.extend({
  id: Uuid,
  org_id: Uuid,
  state: z.enum(['running', 'done', 'stopped']),
  started_at: Timestamp,
  started_by: z.string(),
  ended_at: Timestamp.nullable(),
  total: z.int(),
  results: z.array(DrillResult),
});
export type Drill = z.infer<typeof Drill>;

/** Where the caller is, as far as he has said; asked for again when it is older than the plan allows. */
export const MyLocation = z.object({
  location_id: Uuid.nullable(),
  label: z.string().nullable(),
  by: z.enum(['said', 'phone', 'site', 'none']),
  at: Timestamp.nullable(),
  stale: z.boolean(),
});

/**
 * What a page may know without anybody signed in; also lies as `/emergency.json` at the front door, for when every service
 * of ours is down.
 */
export const EmergencyInfo = z.object({
  domain: z.string(),
  numbers: z.array(z.object({ number: z.string(), label: z.string(), test: z.boolean() })),
  locations: z.array(z.object({ id: Uuid, label: z.string(), nearest_phone: z.string().nullable() })),
  default_location_id: Uuid.nullable(),
  /** Nobody can be reached: no trunk takes emergency calls. */
  ready: z.boolean(),
  notes: Text,
});
export type EmergencyInfo = z.infer<typeof EmergencyInfo>;

/** Body of the SIP MESSAGE (application/vnd.siphera.emergency+json) that Kamailio sends to the desk by itself. */
export const EmergencyNotice = z.object({
  v: z.literal(1),
  uid: z.string(),
  kind: z.enum(['emergency', 'test', 'drill']),
  state: z.enum(['started', 'answered', 'ended', 'failed']),
  number: z.string(),
  caller: z.string(),
  verified: z.boolean(),
  location_id: z.string(),
  location: z.string(),
  callback: z.string(),
  at: z.int().meta({ description: 'Unix seconds' }),
});
export type EmergencyNotice = z.infer<typeof EmergencyNotice>;
