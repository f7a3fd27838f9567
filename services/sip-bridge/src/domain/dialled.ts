/**
 * What a dialled number leads to. What must stay true: the steps are those of compose/kamailio/trunk.cfg (`NORMALISE`, `MAY_DIAL`) on the
 * very tables that Kamailio is given, and what brings help comes before everything else.
 */
import type { DestinationClass, ExtensionKind, NumberPlan } from '@siphera/contract';
import { emergencyForms, prefixClasses } from './number-plan.ts';

/** Dialled digits that may hold an outside prefix besides: below that it is a number of the house or nothing. */
const afterOutsideMin = 3;
/** A number with so many digits carries its area. */
const withoutAreaMax = 8;
const e164Digits = /^\d{6,15}$/;

type Reading = Pick<
  NumberPlan,
  'country_code' | 'national_prefix' | 'international_prefix' | 'area_code' | 'outside_prefixes'
>;

/** E.164 with plus of what was dialled; undefined when it is no number of the world. */
export function toE164(plan: Reading, dialled: string): string | undefined {
  const whole = dialled.replaceAll(/[-. ()]/g, '');
  if (whole.startsWith('+')) return e164Digits.test(whole.slice(1)) ? whole : undefined;
  const digits = withoutOutsidePrefix(plan, whole);
  if (!/^\d{3,20}$/.test(digits)) return undefined;
  const e164 = digitsAbroad(plan, digits);
  return e164Digits.test(e164) ? `+${e164}` : undefined;
}

function withoutOutsidePrefix({ outside_prefixes: prefixes }: Reading, digits: string): string {
  const prefix = prefixes.find(
    (one) => digits.startsWith(one) && digits.length >= one.length + afterOutsideMin,
  );
  return prefix === undefined ? digits : digits.slice(prefix.length);
}

function digitsAbroad(plan: Reading, digits: string): string {
  const {
    country_code: country,
    national_prefix: home,
    international_prefix: abroad,
    area_code: area,
  } = plan;
  if (digits.startsWith(abroad)) return digits.slice(abroad.length);
  if (home !== '' && digits.startsWith(home)) return `${country}${digits.slice(home.length)}`;
  if (area !== '' && digits.length <= withoutAreaMax) return `${country}${area}${digits}`;
  return `${country}${digits}`;
}

/** Class of a number of the world. @param e164 with plus. */
export function classOf(
  plan: Pick<NumberPlan, 'country_code' | 'area_code' | 'prefixes'>,
  e164: string,
): DestinationClass {
  const classes = prefixClasses(plan);
  const digits = e164.slice(1);
  for (let length = digits.length; length > 0; length -= 1) {
    const found = classes[digits.slice(0, length)];
    if (found !== undefined) return found;
  }
  return (digits.startsWith(plan.country_code) ? classes['own'] : classes['any']) ?? 'premium';
}

export type Explained = {
  kind: 'emergency' | 'internal' | 'outside' | 'unknown';
  number: string;
  class: DestinationClass | null;
  allowed: boolean;
  words: string;
};
type Known = { number: string; name: string; kind: ExtensionKind };
export type DialQuestion = {
  plan: NumberPlan;
  dialled: string;
  /** Who has this number in the house. */
  internal: (number: string) => Known | undefined;
  /** Who dials, and what he may; his name as it stands in the words. */
  caller: { name: string; classes: readonly DestinationClass[]; cap: number };
  /** Trunks that take calls out of the house now. */
  trunks: readonly string[];
  emergencyTrunks: readonly string[];
};

export function explainDialled(question: DialQuestion): Explained {
  const { plan, dialled, internal, caller } = question;
  const digits = dialled.replaceAll(/[-. ()]/g, '');
  const emergency = emergencyForms(plan).get(digits);
  if (emergency) return explainEmergency(question, digits, emergency);
  const known = internal(digits);
  if (known)
    return {
      kind: 'internal',
      number: known.number,
      class: 'internal',
      allowed: true,
      words: `${kindWords[known.kind]} ${known.number}, ${known.name}.`,
    };
  const e164 = toE164(plan, digits);
  if (e164 === undefined)
    return {
      kind: 'unknown',
      number: digits,
      class: null,
      allowed: false,
      words: `Nobody in the house has ${digits}, and it is no number of the world either.`,
    };
  const kind = classOf(plan, e164);
  const allowed = caller.classes.includes(kind);
  return {
    kind: 'outside',
    number: e164,
    class: kind,
    allowed,
    words: [`${e164}, ${classWords[kind]}.`, outsideWords(question, kind, allowed)].join(' '),
  };
}

const kindWords: Record<ExtensionKind, string> = {
  user: 'Rings the phones of',
  phone: 'Rings the phone',
  door: 'Rings the door station',
  group: 'Rings all of the group',
};
const classWords: Record<DestinationClass, string> = {
  internal: 'a number of the house',
  local: 'a local call',
  national: 'a call inside the country',
  international: 'a call abroad',
  premium: 'a premium-rate number',
};

function explainEmergency(
  { emergencyTrunks }: DialQuestion,
  dialled: string,
  { to, mode }: { to: string; mode: string },
): Explained {
  const trunks =
    emergencyTrunks.length > 0
      ? `Trunks, in turn: ${emergencyTrunks.join(', ')}.`
      : 'No trunk takes emergency calls: it would reach nobody.';
  const words = {
    emergency: `Calls for help: ${to}. It needs no right, and goes out whatever else fails. ${trunks}`,
    test: `Tests the emergency call: ${to} answers, and nobody comes. ${trunks}`,
    drill: `A drill: it calls the test PSAP alone, never ${to} itself.`,
  };
  return {
    kind: 'emergency',
    number: to,
    class: null,
    allowed: true,
    words:
      words[mode as keyof typeof words] +
      (dialled === to || mode === 'drill' ? '' : ` (dialled as ${dialled})`),
  };
}

function outsideWords({ caller, trunks }: DialQuestion, kind: DestinationClass, allowed: boolean): string {
  if (!allowed) {
    const may = caller.classes.filter((one) => one !== 'internal');
    const list = may.length === 0 ? 'numbers of the house alone' : `calls of the classes ${may.join(', ')}`;
    return `${caller.name} may dial ${list}: it would be refused, because it is ${kind}.`;
  }
  if (trunks.length === 0) return 'No trunk takes calls: it would be refused.';
  return `${caller.name} may dial it, up to ${caller.cap} calls out of the house a day. Trunks, in turn: ${trunks.join(', ')}.`;
}
