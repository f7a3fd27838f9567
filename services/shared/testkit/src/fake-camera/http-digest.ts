/** The camera's side of HTTP Digest access authentication with MD5 and qop=auth (RFC 7616 §3.4). */
import { createHash, randomBytes } from 'node:crypto';
import type { Credentials } from './wsse.ts';

/** Nonces that are good at a time; the oldest go first. */
const noncesMax = 200;

export type DigestAnswer = Readonly<Record<string, string>>;

/** The fields of an Authorization header; undefined when it is of another scheme. */
export function parseDigest(header: string | undefined): DigestAnswer | undefined {
  const [, fields] = /^Digest\s+(.*)$/is.exec(header ?? '') ?? [];
  if (fields === undefined) return undefined;
  const found = fields.matchAll(/([a-z]+)\s*=\s*(?:"([^"]*)"|([^\s,]+))/gi);
  return Object.fromEntries(
    [...found].map(([, key = '', quoted, bare]) => [key.toLowerCase(), quoted ?? bare ?? '']),
  );
}

/** The `response` that belongs to these fields (RFC 7616 §3.4.1; without qop as RFC 2069 had it). */
export function digestResponse(
  fields: DigestAnswer,
  request: { method: string; uri: string },
  password: string,
): string {
  const { username = '', realm = '', nonce = '', nc = '', cnonce = '', qop } = fields;
  const secret = md5(`${username}:${realm}:${password}`);
  const call = md5(`${request.method}:${request.uri}`);
  return md5(
    qop === undefined ? `${secret}:${nonce}:${call}` : `${secret}:${nonce}:${nc}:${cnonce}:${qop}:${call}`,
  );
}

export class DigestCheck {
  readonly #credentials: Credentials;
  readonly #realm: string;
  /** The highest nonce count seen of each nonce: a count that does not grow is a replay (RFC 7616 §3.4). */
  readonly #counts = new Map<string, number>();

  constructor(credentials: Credentials, realm: string) {
    this.#credentials = credentials;
    this.#realm = realm;
  }

  /** A value for WWW-Authenticate, with a nonce of its own. */
  challenge(): string {
    const nonce = randomBytes(16).toString('hex');
    this.#counts.set(nonce, 0);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > noncesMax && oldest !== undefined) this.#counts.delete(oldest);
    return `Digest realm="${this.#realm}", qop="auth", nonce="${nonce}", algorithm=MD5`;
  }

  good(header: string | undefined, request: { method: string; url: string }): boolean {
    const fields = parseDigest(header);
    if (fields?.['username'] !== this.#credentials.username || fields['realm'] !== this.#realm) return false;
    if (fields['uri'] !== request.url || fields['qop'] !== 'auth') return false;
    const wanted = digestResponse(
      fields,
      { method: request.method, uri: request.url },
      this.#credentials.password,
    );
    return fields['response'] === wanted && this.#counted(fields['nonce'] ?? '', fields['nc'] ?? '');
  }

  #counted(nonce: string, count: string): boolean {
    const before = this.#counts.get(nonce);
    const now = Number.parseInt(count, 16);
    if (before === undefined || !(now > before)) return false;
    this.#counts.set(nonce, now);
    return true;
  }
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
