/**
 * What Kamailio reports (`route[REPORT]` of compose/kamailio): one JSON object an event, over evapi at once, and in
 * `spool/events.sqlite` until the bridge has taken it. `uid` tells doubles. Times are Unix milliseconds.
 */
import { z } from 'zod';

const base = { v: z.literal(1), uid: z.string().min(1).max(200), at_ms: z.int() };
const text = z.string().max(300);
/** As a variable of Kamailio's script comes out: `0` is no, though it is a text. */
const flag = z
  .union([z.boolean(), z.literal([0, 1, '0', '1', 'true', 'false', ''])])
  .transform((value) => value === true || value === 1 || value === '1' || value === 'true');

/** A step of a call. `call` is the Call-ID of the caller's leg; `ringing` comes once, whatever number of phones ring. */
export const CallEvent = z.object({
  ...base,
  kind: z.literal('call'),
  call: text,
  state: z.enum(['dialled', 'ringing', 'answered', 'held', 'resumed', 'ended', 'failed', 'refused']),
  direction: z.enum(['internal', 'inbound', 'outbound', 'alarm']).optional(),
  from: text.optional(),
  from_name: text.optional(),
  /** What was dialled, and which number or E.164 it came down to. */
  dialled: text.optional(),
  to: text.optional(),
  /** The number that answered. */
  by: text.optional(),
  /** With `answered`: the SIP tags of who called and of who answered; the media relays name by them whose digit a digit is. */
  from_tag: text.optional(),
  to_tag: text.optional(),
  /** The address of who answered; whether the sound of each side is encrypted, so that nobody else can send it. */
  to_source: text.optional(),
  from_secure: flag.optional(),
  to_secure: flag.optional(),
  trunk: text.optional(),
  code: z.coerce.number().int().optional(),
  reason: text.optional(),
  source: text.optional(),
  relayed: flag.optional(),
});
/** A step of an emergency call. */
export const EmergencyEvent = z.object({
  ...base,
  kind: z.literal('emergency'),
  call: text,
  mode: z.enum(['emergency', 'test', 'drill']),
  state: z.enum(['dialled', 'sent', 'ringing', 'answered', 'ended', 'failed', 'trunk_failed']),
  from: text.optional(),
  verified: flag.optional(),
  dialled: text.optional(),
  number: text.optional(),
  location: text.optional(),
  location_by: z.enum(['caller', 'phone', 'area', 'last_known', 'network', 'site', 'none']).optional(),
  callback: text.optional(),
  trunk: text.optional(),
  style: text.optional(),
  code: z.coerce.number().int().optional(),
  reason: text.optional(),
  source: text.optional(),
});
/** Somebody called the call-back number of an emergency call. */
export const CallbackEvent = z.object({
  ...base,
  kind: z.literal('callback'),
  call: text,
  emergency: text.meta({ description: 'Call-ID of the emergency call' }),
  from: text,
  reached: flag,
});
/** A contact came or went. */
const RegistrationEvent = z.object({
  ...base,
  kind: z.literal('registration'),
  number: text,
  state: z.enum(['registered', 'expired', 'removed']),
  source: text.optional(),
  agent: text.optional(),
  transport: text.optional(),
});
/** A digit by SIP INFO; those by RFC 4733 come from the media relays. */
const DigitEvent = z.object({
  ...base,
  kind: z.literal('digit'),
  call: text,
  digit: text,
  from: text.optional(),
  /** The address that sent it, and the tag in its From. */
  source: text.optional(),
  from_tag: text.optional(),
});
/** An address was shut out, or a request refused for what it tried. */
const ShutOutEvent = z.object({
  ...base,
  kind: z.literal('shut_out'),
  source: text,
  reason: text,
  banned_s: z.coerce.number().optional(),
});
/** A trunk answers or does not. */
const TrunkEvent = z.object({
  ...base,
  kind: z.literal('trunk'),
  trunk: text,
  state: z.enum(['up', 'down']),
  reason: text.optional(),
});

export const SwitchEvent = z.discriminatedUnion('kind', [
  CallEvent,
  EmergencyEvent,
  CallbackEvent,
  RegistrationEvent,
  DigitEvent,
  ShutOutEvent,
  TrunkEvent,
]);
export type SwitchEvent = z.infer<typeof SwitchEvent>;
export type CallEvent = z.infer<typeof CallEvent>;
export type EmergencyEvent = z.infer<typeof EmergencyEvent>;
