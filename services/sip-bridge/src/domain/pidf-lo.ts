/**
 * A dispatchable location as PIDF-LO (RFC 4119, civic form of RFC 5139, rules of RFC 5491), ready for Kamailio, which puts in
 * who (`%ENTITY%`) and when (`%TIME%`). What must stay true: whatever people typed, it is well-formed, on one line (it becomes a
 * part of a multipart body, whose boundary a line could imitate), and holds the two placeholders exactly once each.
 */
import type { CivicAddress } from '@siphera/contract';
import { civicOrder, languageOf } from './civic-address.ts';

/** A SIP request by UDP carries it; with all fields of usual length it has 1 to 2 kB. */
export const pidfBytesMax = 4_096;

const namespaces = [
  'xmlns="urn:ietf:params:xml:ns:pidf"',
  'xmlns:gp="urn:ietf:params:xml:ns:pidf:geopriv10"',
  'xmlns:gbp="urn:ietf:params:xml:ns:pidf:geopriv10:basicPolicy"',
  'xmlns:ca="urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr"',
].join(' ');

export function pidfLo(civic: CivicAddress): string {
  const elements = civicOrder
    .map((name) => [name, oneLine(civic[name])] as const)
    .filter(([, text]) => text !== '')
    .map(([name, text]) => `<ca:${name}>${escape(text)}</ca:${name}>`)
    .join('');
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<presence ${namespaces} entity="%ENTITY%">`,
    // A tuple, not a device: RFC 4479 wants the id of the device, and an unknown phone has none.
    '<tuple id="caller"><status><gp:geopriv>',
    `<gp:location-info><ca:civicAddress xml:lang="${languageOf(civic.country)}">${elements}</ca:civicAddress></gp:location-info>`,
    // A PSAP passes it on to those who go there.
    '<gp:usage-rules><gbp:retransmission-allowed>true</gbp:retransmission-allowed></gp:usage-rules>',
    '<gp:method>Manual</gp:method>',
    '</gp:geopriv></status><timestamp>%TIME%</timestamp></tuple></presence>',
  ].join('');
}

/** Control characters, halves of surrogate pairs and the two non-characters have no place in XML 1.0 (§2.2). */
const oneLine = (text: string): string =>
  text
    .replaceAll(/[\p{Cc}\p{Cs}\u2028\u2029\uFFFE\uFFFF]/gu, ' ')
    .replaceAll(/ {2,}/g, ' ')
    .trim();

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  // What is typed must not be taken for a placeholder, nor for a variable of Kamailio.
  '%': '&#37;',
  $: '&#36;',
};
const escape = (text: string): string => text.replaceAll(/[&<>"'%$]/g, (sign) => entities[sign] ?? sign);
