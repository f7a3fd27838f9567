/**
 * Who a bearer value stands for: an access token, checked by signature, or an API key, checked by its hash. Both are
 * looked up in the database at each request, so that what was revoked is refused from its commit on.
 */
import { join } from 'node:path';
import {
  accessTokenLifeSeconds,
  type InternalRevocations,
  type Permission,
  scopeKey,
} from '@siphera/contract';
import { AppError, Revocations, verifyAccessToken, type Caller } from '@siphera/runtime';
import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import type { z } from 'zod';
import type { AppDeps } from '../../app-deps.ts';
import { systemActor } from '../../kernel/actor.ts';
import { readFeedSeq } from '../../kernel/feed-seq.ts';
import { PasswordHasher } from '../adapters/password-hash.ts';
import { SigningKeys } from '../adapters/signing-keys.ts';
import { apiKeyPrefix, hashSecret, parseApiKey, sameDigest } from '../domain/api-key.ts';
import { scopeOf, type ApiKeyRow } from '../store/identity-rows.ts';
import { readRevocations, revocationCheck } from '../store/revocations.store.ts';
import { ensureSetupCode } from './setup-code.ts';

/** `last_used_at` of an API key is kept to the minute, so that using one is not a write each time. */
const touchEveryMs = 60_000;
const pruneEveryMs = 600_000;

export type Authenticator = {
  /** @throws AppError `unauthenticated` or `session_expired`. */
  authenticate(bearer: string): Promise<Caller>;
  keys: SigningKeys;
  hasher: PasswordHasher;
  jwks(): JSONWebKeySet;
  revocationsInForce(): z.input<typeof InternalRevocations>;
  stop(): void;
};

/** @throws Error when the signing keys are damaged or exposed. */
export async function createAuthenticator(app: AppDeps): Promise<Authenticator> {
  const keys = await SigningKeys.load(
    join(app.config.DATA_DIR, 'keys', 'signing.json'),
    app.clock,
    app.random,
  );
  await ensureSetupCode(app);
  const prune = (): void => {
    app.box
      .write('pruneIdentity', { actor: systemActor(''), traceId: '' }, {})
      .catch((error: unknown) => app.log.warn('identity_prune_failed', { error }));
  };
  prune();
  const timer = setInterval(prune, pruneEveryMs);
  const byToken = createTokenCheck(app, keys.jwks());
  const byKey = createKeyCheck(app);
  return {
    authenticate: (bearer) => (bearer.startsWith(apiKeyPrefix) ? byKey(bearer) : byToken(bearer)),
    keys,
    hasher: new PasswordHasher(app.random),
    jwks: () => keys.jwks(),
    revocationsInForce: app.db.transaction(() => ({
      upto: readFeedSeq(app.db),
      items: readRevocations(app.db, app.clock.now()),
    })),
    stop: () => clearInterval(timer),
  };
}

function createTokenCheck(app: AppDeps, jwks: JSONWebKeySet): (bearer: string) => Promise<Caller> {
  const keys = createLocalJWKSet(jwks);
  // Services follow revocations on the feed; core asks its own database instead.
  const none = new Revocations(app.clock);
  const isRevoked = revocationCheck(app.db);
  return async (bearer) => {
    const claims = await verifyAccessToken(bearer, keys, none, app.clock.now());
    if (isRevoked(claims, app.clock.now()))
      throw new AppError('session_expired', 'This session was ended, or what you may do has changed.', {
        hint: 'Refresh the token, or sign in again.',
      });
    return { claims };
  };
}

function createKeyCheck(app: AppDeps): (bearer: string) => Promise<Caller> {
  const find = app.db.prepare<[string], ApiKeyRow>('SELECT * FROM api_keys WHERE id = ?');
  // Compared against when there is no such key, so that the time tells nothing.
  const nobody = hashSecret('');
  const touched = new Map<string, number>();
  const touch = (id: string, nowMs: number): void => {
    if (nowMs - (touched.get(id) ?? -Infinity) < touchEveryMs) return;
    touched.set(id, nowMs);
    app.box
      .write('touchApiKey', { actor: systemActor(''), traceId: '' }, { id })
      .catch((error: unknown) => app.log.warn('api_key_touch_failed', { error }));
  };
  return (bearer) => {
    const nowMs = app.clock.now();
    const parsed = parseApiKey(bearer);
    const row = parsed ? find.get(parsed.id) : undefined;
    const fits = sameDigest(parsed?.secretSha256 ?? '', row?.secret_sha256 ?? nobody);
    if (!row || !fits || row.revoked_ms !== null)
      return Promise.reject(new AppError('unauthenticated', 'The API key is not valid.'));
    if (row.expires_ms !== null && row.expires_ms <= nowMs)
      return Promise.reject(new AppError('session_expired', 'The API key has expired.'));
    touch(row.id, nowMs);
    return Promise.resolve({ claims: claimsOfKey(row, nowMs) });
  };
}

const claimsOfKey = (row: ApiKeyRow, nowMs: number): Caller['claims'] => ({
  iss: 'siphera',
  aud: 'siphera-box',
  sub: row.id,
  sid: row.id,
  kind: 'api_key',
  org: row.org_id,
  name: row.name,
  grants: [{ permissions: JSON.parse(row.permissions) as Permission[], scope: scopeKey(scopeOf(row)) }],
  iat: nowMs / 1_000,
  // A stream that was opened with the key ends with the key.
  exp: Math.min(
    Math.floor(nowMs / 1_000) + accessTokenLifeSeconds,
    Math.floor((row.expires_ms ?? Infinity) / 1_000),
  ),
});
