/** The camera's side of WS-Security UsernameToken with a password digest (OASIS UsernameToken Profile 1.0, §3.1). */
import { createHash } from 'node:crypto';
import { child, textOf, type XmlNode } from './xml.ts';

export type Credentials = { username: string; password: string };

/** What a token is worth; only `good` opens the door. */
export type TokenVerdict = 'good' | 'absent' | 'wrong' | 'stale' | 'replayed';

/** Nonces remembered against replay; the oldest go first. */
const noncesMax = 1_000;

/** Base64(SHA-1(nonce + created + password)). */
export function passwordDigest(nonce: Buffer, created: string, password: string): string {
  return createHash('sha1').update(nonce).update(created).update(password).digest('base64');
}

export class TokenCheck {
  readonly #credentials: Credentials;
  readonly #windowMs: number;
  readonly #seen = new Set<string>();

  /** @param windowMs How far `Created` may be from the camera's own clock, either way. */
  constructor(credentials: Credentials, windowMs: number) {
    this.#credentials = credentials;
    this.#windowMs = windowMs;
  }

  verdict(envelope: XmlNode | undefined, nowMs: number): TokenVerdict {
    const token = child(envelope, 'Header', 'Security', 'UsernameToken');
    if (!token) return 'absent';
    const nonce = textOf(token, 'Nonce') ?? '';
    const created = textOf(token, 'Created') ?? '';
    const { username, password } = this.#credentials;
    const digest = passwordDigest(Buffer.from(nonce, 'base64'), created, password);
    const typed = child(token, 'Password')?.attributes['Type'] ?? '';
    const right = textOf(token, 'Username') === username && textOf(token, 'Password') === digest;
    if (!right || !typed.endsWith('#PasswordDigest')) return 'wrong';
    if (!(Math.abs(Date.parse(created) - nowMs) <= this.#windowMs)) return 'stale';
    if (this.#seen.has(nonce)) return 'replayed';
    this.#remember(nonce);
    return 'good';
  }

  #remember(nonce: string): void {
    this.#seen.add(nonce);
    const [oldest] = this.#seen;
    if (this.#seen.size > noncesMax && oldest !== undefined) this.#seen.delete(oldest);
  }
}
