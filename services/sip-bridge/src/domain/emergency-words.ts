/** What the incident of an emergency call says, line by line, and the events for core. Pure. */
import { type EmergencyCall, type IncomingEvent, type InternalOpenIncident } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime';
import type { z } from 'zod';
import { callbackMs, type EmergencyReport, type FoldedCall } from './emergency-fold.ts';

/** A call with the names that its numbers and ids had at the time. */
export type NamedCall = {
  id: string;
  call: FoldedCall;
  callerName: string;
  locationLabel: string | null;
  trunkNames: Readonly<Record<string, string>>;
  siteId: string | null;
  areaId: string | null;
  timeZone: string | undefined;
};
export type SpokenWord = {
  kind: 'open' | 'event' | 'line';
  body: Record<string, unknown>;
};

const placeWords: Record<EmergencyCall['location_by'], string> = {
  caller: 'the caller chose it',
  phone: 'set for the phone',
  area: 'by the area of the phone',
  last_known: 'where the caller last said to be',
  network: 'by the network of the phone',
  site: 'default of the site',
  none: 'not known',
};
const styleWords: Readonly<Record<string, string>> = {
  'pidf-lo': 'the place in the call (PIDF-LO)',
  'provider-id': "the provider's id of the place",
  elin: 'the call-back number of the place (ELIN)',
  none: 'no place',
};
export const styleInWords = (style: string | null): string => styleWords[style ?? 'none'] ?? 'no place';

/** What core is told of this report. Tests and drills are no incidents. */
export function wordsOf(report: EmergencyReport, named: NamedCall, isFirst: boolean): SpokenWord[] {
  if (named.call.kind !== 'emergency') return [];
  const words: SpokenWord[] = [];
  if (isFirst) words.push({ kind: 'open', body: openingOf(named) }, eventOf('emergency.called', named));
  // What came first told less than this: who, and from where.
  const isLateOpening = !isFirst && report.kind === 'emergency' && report.state === 'dialled';
  const line = isLateOpening ? openingWords(named) : lineOf(report, named);
  if (line !== undefined) {
    const data = { call: named.id, at: toRfc3339(report.at_ms), step: stepOf(report) };
    words.push({ kind: 'line', body: { text: limit(`${clockOf(report.at_ms, named)} ${line}`, 500), data } });
  }
  if (report.kind === 'emergency' && report.state === 'failed')
    words.push(eventOf('emergency.failed', named));
  return words;
}

const callerWords = ({ call, callerName }: NamedCall): string =>
  [call.from, callerName].filter((part) => part !== null && part !== '').join(' ') ||
  `an unknown phone${call.address === '' ? '' : ` at ${call.address}`}`;

/** The rest of an order to core: organisation and site are put in when it goes out. */
function openingOf(
  named: NamedCall,
): Omit<z.infer<typeof InternalOpenIncident>, 'org_id' | 'site_id' | 'test'> {
  const { call, id } = named;
  return {
    key: `emergency:${id}`,
    area_id: named.areaId,
    device_id: null,
    title: limit(`Emergency call ${call.number} from ${callerWords(named)}`, 200),
    severity: 'critical',
    text: limit(`${clockOf(call.startedMs, named)} ${openingWords(named)}`, 500),
    data: {
      call: id,
      at: toRfc3339(call.startedMs),
      number: call.number,
      dialled: call.dialled,
      caller: { number: call.from, name: named.callerName, address: call.address, verified: call.verified },
      location: { id: call.locationId, label: named.locationLabel, by: call.locationBy },
      callback: call.callback,
      area_id: named.areaId,
      site_id: named.siteId,
    },
  };
}

function openingWords(named: NamedCall): string {
  const { call } = named;
  const place = `${named.locationLabel ?? 'no place'} (${placeWords[call.locationBy]})`;
  const proof = call.verified ? '' : ' (not proved who)';
  return `${callerWords(named)}${proof} dialled ${call.dialled}. Place: ${place}. Call-back: ${call.callback ?? 'none'}.`;
}

function lineOf(report: EmergencyReport, named: NamedCall): string | undefined {
  const { call, trunkNames } = named;
  if (report.kind === 'callback')
    return report.reached
      ? `Call-back from ${report.from} reached the caller.`
      : `Call-back from ${report.from} did not reach the caller.`;
  const trunk = report.trunk === undefined ? 'a trunk' : `"${trunkNames[report.trunk] ?? report.trunk}"`;
  const cause = [report.code, report.reason].filter((part) => part !== undefined && part !== '').join(' ');
  switch (report.state) {
    case 'sent':
      return `Sent on ${trunk} after ${report.at_ms - call.startedMs} ms, with ${styleInWords(report.style ?? call.style)}.`;
    case 'trunk_failed':
      return `${trunk} did not take the call${cause === '' ? '' : `: ${cause}`}.`;
    case 'answered':
      return `Answered after ${seconds(report.at_ms - call.startedMs)}.`;
    case 'failed':
      return `No trunk took the call${cause === '' ? '' : `: ${cause}`}. Call for help by another way.`;
    case 'ended':
      return endWords(report.at_ms, named);
    case 'dialled':
    case 'ringing':
      return undefined;
  }
}

function endWords(atMs: number, named: NamedCall): string {
  const { call } = named;
  const how =
    call.answeredMs === null
      ? `Ended after ${seconds(atMs - call.startedMs)} without an answer.`
      : `Ended; they spoke for ${seconds(atMs - call.answeredMs)}.`;
  return call.callback === null
    ? how
    : `${how} Until ${clockOf(call.startedMs + callbackMs, named)} ${call.callback} rings the caller.`;
}

const stepOf = (report: EmergencyReport): string => (report.kind === 'callback' ? 'callback' : report.state);

/** An event for core, without organisation and site, which are put in when it goes out. Its id follows from the call. */
function eventOf(type: 'emergency.called' | 'emergency.failed', named: NamedCall): SpokenWord {
  const { call } = named;
  const atMs = type === 'emergency.failed' ? (call.endedMs ?? call.startedMs) : call.startedMs;
  const event: IncomingEvent = {
    specversion: '1.0',
    id: `${type}:${named.id}`,
    source: 'sip/emergency',
    type,
    time: toRfc3339(atMs),
    datacontenttype: 'application/json',
    ...(named.areaId === null ? {} : { areaid: named.areaId }),
    data: {
      number: limit(call.number, 24),
      caller: limit(callerWords(named), 120),
      location: limit(named.locationLabel ?? '', 200),
      callback: limit(call.callback ?? '', 24),
      call: named.id,
    },
  };
  return { kind: 'event', body: event };
}

function clockOf(ms: number, { timeZone }: NamedCall): string {
  const time = new Intl.DateTimeFormat('en-GB', {
    timeZone: timeZone ?? 'UTC',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  }).format(ms);
  return timeZone === undefined ? `${time} UTC` : time;
}

function seconds(ms: number): string {
  const whole = Math.round(ms / 1_000);
  if (whole < 10) return `${(ms / 1_000).toFixed(1)} s`;
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** Whole characters, so that no half of a pair is left. */
const limit = (text: string, max: number): string =>
  text.length <= max
    ? text
    : `${text
        .slice(0, max - 1)
        .toWellFormed()
        .replace(/\uFFFD$/, '')}…`;
