/** WS-Discovery messages (April 2005, as ONVIF Core §7.3 has them) and ranges of addresses. Pure. */
import { normalMac } from './answers.ts';
import { escapeXml, find, findAll, parseXml, textAt } from './xml.ts';

export const discoveryGroup = '239.255.255.250';
export const discoveryPort = 3_702;

export type ProbeMatch = {
  endpoint: string;
  onvifUrls: string[];
  name: string | null;
  hardware: string | null;
  mac: string | null;
};

/** A Probe for video transmitters; an empty `types` finds those that answer to nothing more exact. */
export function probeMessage(messageId: string, types: 'dn:NetworkVideoTransmitter' | 'tds:Device'): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"' +
    ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"' +
    ' xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="http://www.onvif.org/ver10/device/wsdl"><s:Header>' +
    `<a:MessageID>urn:uuid:${escapeXml(messageId)}</a:MessageID><a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>` +
    '<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action></s:Header>' +
    `<s:Body><d:Probe><d:Types>${types}</d:Types></d:Probe></s:Body></s:Envelope>`
  );
}

/** The matches in an answer to one of our probes; none when it answers another's. */
export function readProbeMatches(text: string, messageIds: ReadonlySet<string>): ProbeMatch[] {
  const root = parseXml(text);
  const relates = textAt(root, 'Header', 'RelatesTo')?.replace(/^urn:uuid:/, '');
  if (relates !== undefined && !messageIds.has(relates)) return [];
  return findAll(find(root, 'Body', 'ProbeMatches'), 'ProbeMatch')
    .slice(0, 16)
    .flatMap((match) => {
      const endpoint = textAt(match, 'EndpointReference', 'Address');
      const onvifUrls = (textAt(match, 'XAddrs') ?? '').split(/\s+/).filter((url) => isHttpUrl(url));
      if (endpoint === undefined || onvifUrls.length === 0) return [];
      const scopes = (textAt(match, 'Scopes') ?? '').split(/\s+/);
      return [
        {
          endpoint: endpoint.slice(0, 200),
          onvifUrls: onvifUrls.slice(0, 4),
          name: scopeValue(scopes, 'name'),
          hardware: scopeValue(scopes, 'hardware'),
          mac: normalMac(scopeValue(scopes, 'mac') ?? scopeValue(scopes, 'MAC') ?? undefined),
        },
      ];
    });
}

/** Value of `onvif://www.onvif.org/<kind>/<value>` (Core §7.3.3.2). */
function scopeValue(scopes: readonly string[], kind: string): string | null {
  const prefix = `onvif://www.onvif.org/${kind}/`;
  const scope = scopes.find((one) => one.startsWith(prefix));
  if (scope === undefined) return null;
  const raw = scope.slice(prefix.length);
  try {
    return (
      decodeURIComponent(raw)
        .replaceAll(/\p{Cc}+/gu, ' ')
        .slice(0, 120) || null
    );
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return raw.slice(0, 120) || null;
  }
}

const isHttpUrl = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

/** What may be asked one by one in a scan: four class C networks. */
export const rangeAddressesMax = 1_024;

/** IPv4 addresses of `a.b.c.d`, `a.b.c.d/n` or `a.b.c.d-e`. @returns undefined when a range is none, or they are too many. */
export function expandRanges(ranges: readonly string[]): string[] | undefined {
  const all = new Set<string>();
  for (const range of ranges) {
    const bounds = rangeBounds(range.trim());
    if (!bounds || bounds.last - bounds.first >= rangeAddressesMax) return undefined;
    for (let at = bounds.first; at <= bounds.last; at += 1) all.add(toDotted(at));
    if (all.size > rangeAddressesMax) return undefined;
  }
  return [...all];
}

function rangeBounds(range: string): { first: number; last: number } | undefined {
  const match = /^(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})(?:\/(\d{1,2})|-(\d{1,3}))?$/.exec(range);
  const base = toNumber(match?.[1] ?? '');
  if (!match || base === undefined) return undefined;
  if (match[3] !== undefined) {
    const last = base - (base % 256) + Number(match[3]);
    return Number(match[3]) <= 255 && last >= base ? { first: base, last } : undefined;
  }
  const bits = match[2] === undefined ? 32 : Number(match[2]);
  if (bits > 32) return undefined;
  const size = 2 ** (32 - bits);
  const network = base - (base % size);
  // The network's own address and its broadcast are no hosts (RFC 3021 exempts /31).
  return bits >= 31
    ? { first: network, last: network + size - 1 }
    : { first: network + 1, last: network + size - 2 };
}

function toNumber(dotted: string): number | undefined {
  const parts = dotted.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !(part <= 255))) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

const toDotted = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
