/** Contact ID in a DC-09 message: `#acct|Qeee gg ccc` (SIA DC-05 §4; DC-07 token ADM-CID). */
import { contactIdCodes, type ContactIdCode } from './contact-id-codes.ts';
import { eventType, readNumber, type Qualifier, type Report } from './report.ts';

const pattern =
  /^(?:#([0-9A-Fa-f]{1,16}))?\|?\s*([136])([0-9A-F]{3})[\s-]*([0-9A-F]{2})[\s-]*C?([0-9A-F]{3,4})/i;
const qualifiers: Record<string, Qualifier> = { 1: 'event', 3: 'restore', 6: 'status' };

/** The report in a data block; undefined when it is not Contact ID. An unknown code is a report all the same. */
export function readContactId(data: string): Report | undefined {
  const match = pattern.exec(data.trim());
  if (!match) return undefined;
  const [, dataAccount, digit = '1', rawCode = '', partition, number] = match;
  // DC-05 writes the digit 0 as A on the telephone line; some panels keep that over IP.
  const code = rawCode.toUpperCase().replaceAll('A', '0');
  const sent = qualifiers[digit] ?? 'event';
  const known = contactIdCodes.get(code);
  const { type, qualifier } = eventType(known?.category ?? 'event', sent);
  const value = readNumber(number);
  const isUser = known?.numberIs === 'user';
  return {
    type,
    code,
    codeName: nameOf(known, code, sent),
    qualifier,
    partition: readNumber(partition),
    zone: isUser ? undefined : value,
    user: isUser ? value : undefined,
    panelName: undefined,
    text: undefined,
    dataAccount: dataAccount?.toUpperCase(),
  };
}

/** Opening and closing share a code, so the name follows the qualifier. */
function nameOf(known: ContactIdCode | undefined, code: string, sent: Qualifier): string {
  if (known === undefined) return `Unknown Contact ID code ${code}`;
  const { name, category } = known;
  const opens = sent === 'event';
  if (/open or close|disarm/i.test(name)) {
    return name
      .replace('Open or close', opens ? 'Opened' : 'Closed')
      .replace('open or close', opens ? 'opening' : 'closing')
      .replace('arm or disarm', opens ? 'disarm' : 'arm');
  }
  if (category === 'opening_part' || category === 'opening')
    return opens ? `Disarmed (${name.toLowerCase()})` : name;
  if (sent === 'restore') return `${name}, restored`;
  return sent === 'status' ? `${name}, still present` : name;
}
