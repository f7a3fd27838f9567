/** SIP messages as text: enough to read what was received and to write what a phone, a trunk or an attacker would send. */
import { createHash, randomBytes } from 'node:crypto';

export type SipMessage = {
  text: string;
  startLine: string;
  /** Of a request; undefined for an answer. */
  method: string | undefined;
  /** Of an answer; undefined for a request. */
  status: number | undefined;
  /** All values of a header, in order. */
  all: (name: string) => string[];
  header: (name: string) => string | undefined;
  body: string;
};

const compact: Readonly<Record<string, string>> = {
  v: 'via',
  f: 'from',
  t: 'to',
  i: 'call-id',
  m: 'contact',
  l: 'content-length',
  c: 'content-type',
  r: 'refer-to',
};

export function parseSip(text: string): SipMessage {
  const end = text.indexOf('\r\n\r\n');
  const head = end < 0 ? text : text.slice(0, end);
  const [startLine = '', ...lines] = head.split('\r\n');
  const headers = lines.flatMap((line) => {
    const colon = line.indexOf(':');
    if (colon < 0) return [];
    const name = line.slice(0, colon).trim().toLowerCase();
    return [[compact[name] ?? name, line.slice(colon + 1).trim()] as const];
  });
  const all = (name: string) =>
    headers.filter(([known]) => known === name.toLowerCase()).map(([, value]) => value);
  const answer = /^SIP\/2\.0 (\d{3})/.exec(startLine);
  return {
    text,
    startLine,
    method: answer ? undefined : startLine.split(' ')[0],
    status: answer ? Number(answer[1]) : undefined,
    all,
    header: (name) => all(name)[0],
    body: end < 0 ? '' : text.slice(end + 4),
  };
}

export const sipToken = (): string => randomBytes(8).toString('hex');

/** The URI within `"Name" <uri>;tag=…`. */
export const sipUri = (value: string | undefined): string | undefined =>
  /<([^>]+)>/.exec(value ?? '')?.[1] ?? value?.split(';')[0]?.trim();
export const sipTag = (value: string | undefined): string | undefined =>
  /;tag=([^;\s]+)/.exec(value ?? '')?.[1];

/** The value of Authorization or Proxy-Authorization for a challenge (RFC 2617, qop auth or none). */
export function digestAnswer(
  challenge: string,
  { username, password, method, uri }: { username: string; password: string; method: string; uri: string },
): string {
  const field = (name: string) => new RegExp(`${name}="?([^",]+)"?`).exec(challenge)?.[1] ?? '';
  const md5 = (text: string) => createHash('md5').update(text).digest('hex');
  const [realm, nonce] = [field('realm'), field('nonce')];
  const [one, two] = [md5(`${username}:${realm}:${password}`), md5(`${method}:${uri}`)];
  const start = `Digest username="${username}", realm="${realm}", nonce="${nonce}", uri="${uri}", algorithm=MD5`;
  if (!/qop="?[^"]*auth/.test(challenge)) return `${start}, response="${md5(`${one}:${nonce}:${two}`)}"`;
  const cnonce = sipToken();
  const response = md5(`${one}:${nonce}:00000001:${cnonce}:auth:${two}`);
  return `${start}, qop=auth, nc=00000001, cnonce="${cnonce}", response="${response}"`;
}

/** An offer or answer of a phone that speaks G.711 and telephone-event. */
export const phoneSdp = (address: string, port: number, direction = 'sendrecv'): string =>
  [
    'v=0',
    `o=- 1 1 IN IP4 ${address}`,
    's=-',
    `c=IN IP4 ${address}`,
    't=0 0',
    `m=audio ${port} RTP/AVP 0 8 101`,
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-15',
    `a=${direction}`,
    '',
  ].join('\r\n');
