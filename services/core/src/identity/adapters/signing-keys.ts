/**
 * The keys that access tokens are signed with, in one file that only core can read. Made on the first start. A file that
 * is broken, or that others can read, stops the start: a box that quietly made new keys would hide a theft.
 */
import { createHmac, createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { tokenAudience, tokenIssuer, accessTokenLifeSeconds } from '@siphera/contract';
import { toRfc3339, type Clock, type Random } from '@siphera/runtime';
import { calculateJwkThumbprint, SignJWT, type JSONWebKeySet, type JWK } from 'jose';
import { z } from 'zod';
import type { UnsignedClaims } from '../store/sessions.store.ts';

/** A key signs for so long; at the next start after it a new one does, and the old one is only checked against. */
const signingDaysMax = 180;
/** The newest signs; the one before is kept for tokens that it signed. */
const keysMax = 2;

const KeyFile = z.object({
  /** HMAC key, base64: successors of refresh tokens, marks of known devices. */
  secret: z.base64().refine((text) => Buffer.from(text, 'base64').length === 32, 'must be 32 bytes'),
  keys: z
    .array(
      z.object({
        created_at: z.iso.datetime(),
        private: z.object({
          kty: z.literal('OKP'),
          crv: z.literal('Ed25519'),
          x: z.string(),
          d: z.string(),
        }),
      }),
    )
    .min(1)
    .max(keysMax),
});
type KeyFile = z.infer<typeof KeyFile>;

export class SigningKeys {
  readonly #secret: Buffer;
  readonly #kid: string;
  readonly #key: KeyObject;
  readonly #public: JSONWebKeySet;

  private constructor(secret: Buffer, kid: string, key: KeyObject, publicKeys: JSONWebKeySet) {
    this.#secret = secret;
    this.#kid = kid;
    this.#key = key;
    this.#public = publicKeys;
  }

  /** @throws Error when the file is broken or others may read it. */
  static async load(path: string, clock: Clock, random: Random): Promise<SigningKeys> {
    const file = existsSync(path) ? rotated(readKeyFile(path), clock) : newKeyFile(clock, random);
    writeKeyFile(path, file);
    const publicKeys = await Promise.all(file.keys.map(({ private: key }) => publicJwk(key)));
    const newest = file.keys[0];
    const kid = publicKeys[0]?.kid;
    if (!newest || kid === undefined) throw new Error(`${path} holds no key`);
    const key = createPrivateKey({ key: newest.private, format: 'jwk' });
    return new SigningKeys(Buffer.from(file.secret, 'base64'), kid, key, { keys: publicKeys });
  }

  jwks(): JSONWebKeySet {
    return this.#public;
  }

  /** An access token, five minutes from the moment its claims were read. */
  sign(claims: UnsignedClaims): Promise<string> {
    const exp = Math.floor(claims.iat) + accessTokenLifeSeconds;
    return new SignJWT({ ...claims, iss: tokenIssuer, aud: tokenAudience, exp })
      .setProtectedHeader({ alg: 'EdDSA', kid: this.#kid, typ: 'JWT' })
      .sign(this.#key);
  }

  /** Keyed digest for one purpose; different purposes never meet. */
  digest(purpose: 'refresh' | 'known-device', text: string): string {
    return createHmac('sha256', this.#secret).update(`${purpose}\n${text}`).digest('base64url');
  }
}

function readKeyFile(path: string): KeyFile {
  const mode = statSync(path).mode & 0o777;
  if ((mode & 0o077) !== 0)
    throw new Error(
      `${path} holds the signing keys and others may read it (mode ${mode.toString(8)}). If nobody did, chmod it to 600; ` +
        'if in doubt, remove it: everybody signs in again with new keys.',
    );
  let raw: unknown;
  try {
    raw = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new Error(`${path} holds the signing keys and is not readable JSON. Restore it from a backup.`, {
      cause,
    });
  }
  const parsed = KeyFile.safeParse(raw);
  if (parsed.success) return parsed.data;
  // Not the parser's own message: it could quote a key.
  const where = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
  throw new Error(`${path} holds the signing keys and is damaged at ${where}. Restore it from a backup.`);
}

/** Written aside, then moved, so that a power cut leaves the old or the new file, never half of one. */
function writeKeyFile(path: string, file: KeyFile): void {
  const text = `${JSON.stringify(file, null, 2)}\n`;
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  chmodSync(dirname(path), 0o700);
  writeFileSync(`${path}.tmp`, text, { mode: 0o600, flush: true });
  renameSync(`${path}.tmp`, path);
}

const newKeyFile = (clock: Clock, random: Random): KeyFile => ({
  secret: random.bytes(32).toString('base64'),
  keys: [newKey(clock)],
});

function rotated(file: KeyFile, clock: Clock): KeyFile {
  const newest = file.keys[0];
  const ageMs = newest ? clock.now() - Date.parse(newest.created_at) : Infinity;
  if (ageMs <= signingDaysMax * 86_400_000) return file;
  return { ...file, keys: [newKey(clock), ...file.keys].slice(0, keysMax) };
}

function newKey(clock: Clock): KeyFile['keys'][number] {
  const { privateKey } = generateKeyPairSync('ed25519');
  const { x = '', d = '' } = privateKey.export({ format: 'jwk' });
  return { created_at: toRfc3339(clock.now()), private: { kty: 'OKP', crv: 'Ed25519', x, d } };
}

async function publicJwk({ kty, crv, x }: KeyFile['keys'][number]['private']): Promise<JWK> {
  const bare = { kty, crv, x };
  return { ...bare, alg: 'EdDSA', use: 'sig', kid: await calculateJwkThumbprint(bare) };
}
