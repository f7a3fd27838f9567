/**
 * The SIA format in a DC-09 message: `#acct|Nri1/BA005^Loading dock^|AText` (SIA DC-03 §5; DC-07 token SIA-DCS).
 * One block may carry several events; modifiers (`ti da id ri pi …`) hold for the events behind them.
 */
import { readableText } from './content.ts';
import { eventType, readNumber, type Report } from './report.ts';
import { siaCodes } from './sia-codes.ts';

/** Bound on events of one message. DC-03 blocks are 63 bytes, so more than this is not a panel. */
export const eventsPerMessageMax = 16;

type Modifiers = { partition: string | undefined; user: string | undefined };

const modifierPattern = /^([a-z]{2})([0-9:\-.]*)(?:\^([^^|]*)\^?)?/;
const eventPattern = /^([A-Z]{2})-?([0-9]{0,8})(?:\^([^^|]*)\^?)?(?:\*["']([^"'|]*)["'](?:NM)?)?/;
/** The block letter: N new event, O old event (DC-03 §5.2). */
const blockPattern = /^[NO]/;

/** The reports in a data block; empty when there is none. Unknown codes are reports all the same. */
export function readSia(data: string): Report[] {
  const account = /^#([0-9A-Za-z]{1,16})\|?/.exec(data);
  const parts = data.slice(account?.[0].length ?? 0).split('|');
  const reports: Report[] = [];
  for (const part of parts) {
    const block = part.trim();
    const last = reports.at(-1);
    if (block.startsWith('A') && last) last.text = readableText(block.slice(1), 500);
    else if (blockPattern.test(block))
      reports.push(...readBlock(block.slice(1), eventsPerMessageMax - reports.length));
  }
  const dataAccount = account?.[1]?.toUpperCase();
  return reports.map((report) => ({ ...report, dataAccount }));
}

function readBlock(block: string, max: number): Report[] {
  const reports: Report[] = [];
  const modifiers: Modifiers = { partition: undefined, user: undefined };
  let rest = block;
  while (rest.length > 0 && reports.length < max) {
    const modifier = modifierPattern.exec(rest);
    const event = modifier ? null : eventPattern.exec(rest);
    if (modifier) apply(modifiers, modifier[1] ?? '', modifier[2] ?? '');
    if (event) reports.push(toReport(event, modifiers));
    rest = rest.slice(Math.max(1, modifier?.[0].length ?? event?.[0].length ?? 1));
  }
  return reports;
}

function apply(modifiers: Modifiers, name: string, value: string): void {
  if (name === 'ri') modifiers.partition = readNumber(value);
  if (name === 'id') modifiers.user = readNumber(value);
}

function toReport(match: RegExpExecArray, modifiers: Modifiers): Report {
  const [, code = '', number, name, quoted] = match;
  const known = siaCodes.get(code);
  const { type, qualifier } = eventType(known?.category ?? 'event', 'event');
  const value = readNumber(number);
  const numberIs = known?.numberIs ?? 'zone';
  return {
    type,
    code,
    codeName: known?.name ?? `Unknown SIA code ${code}`,
    qualifier,
    partition: numberIs === 'area' ? (value ?? modifiers.partition) : modifiers.partition,
    zone: numberIs === 'zone' || numberIs === 'door' ? value : undefined,
    user: numberIs === 'user' ? (value ?? modifiers.user) : modifiers.user,
    panelName: nonEmpty(readableText(name ?? quoted ?? '', 120)),
    text: undefined,
    dataAccount: undefined,
  };
}

const nonEmpty = (text: string): string | undefined => (text === '' ? undefined : text);
