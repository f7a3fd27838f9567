/**
 * SIP messages (RFC 3261) as an alarm call writes and reads them. What must stay true: what comes from the network is bounded and
 * never thrown on; what goes out holds no line break of others.
 */
import { createHash } from 'node:crypto';

export type SipMessage = {
  /** Of a request. */
  method: string | undefined;
  /** Of an answer; `reason` are its words. */
  status: number | undefined;
  reason: string;
  headers: readonly (readonly [name: string, value: string])[];
  body: string;
};

/** More lines than any message has that we could make use of. */
const linesMax = 200;
const compact: Readonly<Record<string, string>> = {
  v: 'via',
  f: 'from',
  t: 'to',
  i: 'call-id',
  m: 'contact',
  l: 'content-length',
  c: 'content-type',
};

/** Undefined for what is no SIP message. */
export function readSip(text: string): SipMessage | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [startLine = '', ...lines] = text.slice(0, end).split('\r\n', linesMax + 1);
  const headers: [string, string][] = [];
  for (const line of lines) {
    const last = headers.at(-1);
    // A line that begins with a space goes on with the one before (RFC 3261 §7.3.1).
    if (/^[ \t]/.test(line) && last) last[1] += ` ${line.trim()}`;
    const colon = line.indexOf(':');
    if (colon <= 0 || /^[ \t]/.test(line)) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    headers.push([compact[name] ?? name, line.slice(colon + 1).trim()]);
  }
  const answer = /^SIP\/2\.0 ([1-6]\d\d) ?(.*)$/.exec(startLine);
  const request = /^([A-Z]{2,16}) \S+ SIP\/2\.0$/.exec(startLine);
  if (!answer && !request) return undefined;
  return {
    method: request?.[1],
    status: answer ? Number(answer[1]) : undefined,
    reason: answer?.[2] ?? '',
    headers,
    body: text.slice(end + 4),
  };
}

export const headerOf = ({ headers }: SipMessage, name: string): string | undefined =>
  headers.find(([known]) => known === name)?.[1];
const headersOf = ({ headers }: SipMessage, name: string): string[] =>
  headers.filter(([known]) => known === name).map(([, value]) => value);

export const tagOf = (value: string | undefined): string | undefined =>
  /;\s*tag=([^;\s>]+)/i.exec(value ?? '')?.[1];
/** The URI of `"Name" <uri>;tag=…`, or of a bare one. */
export const uriOf = (value: string | undefined): string | undefined =>
  /<([^>\s]+)>/.exec(value ?? '')?.[1] ?? /^\s*(sips?:[^;\s,]+)/.exec(value ?? '')?.[1];
export const branchOf = (via: string | undefined): string | undefined =>
  /;\s*branch=([^;\s,]+)/i.exec(via ?? '')?.[1];
/** `12 INVITE` */
export function cseqOf(message: SipMessage): { number: number; method: string } {
  const [number = '', method = ''] = (headerOf(message, 'cseq') ?? '').split(/\s+/);
  return { number: Number(number), method };
}

/** The route set of who called: Record-Route of the answer, last first (RFC 3261 §12.1.2). */
export const routeSetOf = (answer: SipMessage): string[] =>
  headersOf(answer, 'record-route')
    .flatMap((value) => value.split(/,\s*(?=<)/))
    .toReversed();

/** @throws Error when a header would become two. */
export function writeSip(
  startLine: string,
  headers: readonly (readonly [name: string, value: string])[],
  body = '',
): string {
  const lines = [startLine, ...headers.map(([name, value]) => `${name}: ${value}`)];
  if (lines.some((line) => /[\r\n\0]/.test(line))) throw new Error('A line of a SIP message holds a break');
  return [...lines, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
}

/** What an answer to a request repeats of it. */
export const answerHeaders = (request: SipMessage): [string, string][] => [
  ...headersOf(request, 'via').map((value): [string, string] => ['Via', value]),
  ...headersOf(request, 'record-route').map((value): [string, string] => ['Record-Route', value]),
  ['From', headerOf(request, 'from') ?? ''],
  ['To', headerOf(request, 'to') ?? ''],
  ['Call-ID', headerOf(request, 'call-id') ?? ''],
  ['CSeq', headerOf(request, 'cseq') ?? ''],
];

export type DigestLogin = { username: string; password: string };

/** Answers a challenge by MD5 (RFC 2617); undefined for one that asks for more. */
export function digestAnswer(
  challenge: string,
  login: DigestLogin,
  request: { method: string; uri: string; cnonce: string },
): string | undefined {
  const field = (name: string): string =>
    new RegExp(`[\\s,]${name}\\s*=\\s*(?:"([^"]*)"|([^\\s,]+))`, 'i')
      .exec(` ${challenge}`)
      ?.slice(1)
      .find((one) => one !== undefined) ?? '';
  const [realm, nonce, qop, opaque] = ['realm', 'nonce', 'qop', 'opaque'].map(field) as [
    string,
    string,
    string,
    string,
  ];
  const algorithm = field('algorithm');
  const asksAuth = qop.split(',').some((one) => one.trim() === 'auth');
  if (!/^\s*digest\s/i.test(challenge) || nonce === '' || !/^(MD5)?$/i.test(algorithm)) return undefined;
  if (qop !== '' && !asksAuth) return undefined;
  const { method, uri, cnonce } = request;
  const secret = md5(`${login.username}:${realm}:${login.password}`);
  const asked = md5(`${method}:${uri}`);
  const response = asksAuth
    ? md5(`${secret}:${nonce}:00000001:${cnonce}:auth:${asked}`)
    : md5(`${secret}:${nonce}:${asked}`);
  return [
    `Digest username="${login.username}"`,
    `realm="${realm}"`,
    `nonce="${nonce}"`,
    `uri="${uri}"`,
    `response="${response}"`,
    'algorithm=MD5',
    ...(opaque === '' ? [] : [`opaque="${opaque}"`]),
    ...(asksAuth ? ['qop=auth', 'nc=00000001', `cnonce="${cnonce}"`] : []),
  ].join(', ');
}

// Digest in SIP is MD5; the credential is short-lived and stays on the box.
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
