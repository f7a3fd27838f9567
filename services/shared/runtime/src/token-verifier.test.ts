import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FeedEntry, Revocation } from '@siphera/contract';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toRfc3339 } from './clock.ts';
import { InternalClient } from './internal-client.ts';
import { startListener, type Listener } from './listen.ts';
import { Revocations, TokenVerifier } from './token-verifier.ts';

const startMs = Date.UTC(2026, 2, 2, 8);
const sub = '01a201d0-0000-7000-8000-000000000001';
const sid = '01a201d0-0000-7000-8000-000000000002';
const org = '01a201d0-0000-7000-8000-000000000003';

let nowMs = startMs;
const clock = { now: () => nowMs, monotonic: () => nowMs };
type Pair = { privateKey: CryptoKey; jwk: JWK };
let keys: Record<'old' | 'next' | 'forged', Pair>;
/** What core publishes, and how often it was asked. */
let published: JWK[] = [];
let reads = 0;
let revoked: Revocation[] = [];
let dir = '';
let listener: Listener;

async function makePair(kid: string): Promise<Pair> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA');
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'EdDSA', use: 'sig' } };
}

beforeAll(async () => {
  keys = { old: await makePair('old'), next: await makePair('next'), forged: await makePair('old') };
  dir = mkdtempSync(join(tmpdir(), 'siphera-token-'));
  listener = await startListener(`unix:${join(dir, 's')}`, (request, response) => {
    if (request.url?.endsWith('/jwks')) reads += 1;
    const body = request.url?.endsWith('/jwks') ? { keys: published } : { upto: 41, items: revoked };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
});
afterAll(async () => {
  await listener.close();
  rmSync(dir, { recursive: true, force: true });
});
beforeEach(() => {
  nowMs = startMs;
  published = [keys.old.jwk];
  reads = 0;
  revoked = [];
});

type TokenOptions = {
  key?: Pair;
  kid?: string;
  issuedMs?: number;
  claims?: Record<string, unknown>;
  alg?: string;
};
function token({ key = keys.old, kid, issuedMs = nowMs, claims = {} }: TokenOptions = {}): Promise<string> {
  return new SignJWT({
    iss: 'siphera',
    aud: 'siphera-box',
    sub,
    sid,
    kind: 'user',
    org,
    name: 'Ada',
    grants: [],
    iat: issuedMs / 1_000,
    exp: Math.floor(issuedMs / 1_000) + 300,
    ...claims,
  })
    .setProtectedHeader({ alg: 'EdDSA', kid: kid ?? key.jwk.kid ?? '' })
    .sign(key.privateKey);
}

async function startVerifier(): Promise<TokenVerifier> {
  const verifier = new TokenVerifier({ client: new InternalClient(`unix:${join(dir, 's')}`), clock });
  expect(await verifier.start()).toBe(41);
  return verifier;
}
const revocation = (more: Partial<Revocation>): Revocation => ({
  reason: 'test',
  expires_at: toRfc3339(startMs + 300_000),
  ...more,
});

describe('an access token', () => {
  it('refuses a token from before the clock was set back', async () => {
    const verifier = await startVerifier();
    const early = await token({ issuedMs: nowMs + 3_600_000 });
    await expect(verifier.verify(early)).rejects.toMatchObject({ code: 'session_expired' });
    expect((await verifier.verify(await token({ issuedMs: nowMs + 1_000 }))).sub).toBe(sub);
  });

  it('is good with the right key, issuer, audience and time', async () => {
    const verifier = await startVerifier();
    await expect(verifier.verify(await token())).resolves.toMatchObject({ sub, sid, name: 'Ada' });
  });

  it.each<[string, TokenOptions, string]>([
    ['of another issuer', { claims: { iss: 'somebody' } }, 'unauthenticated'],
    ['for another audience', { claims: { aud: 'elsewhere' } }, 'unauthenticated'],
    ['without a session', { claims: { sid: undefined } }, 'unauthenticated'],
    ['that has expired', { issuedMs: startMs - 400_000 }, 'session_expired'],
  ])('is refused %s', async (_name, options, code) => {
    const verifier = await startVerifier();
    await expect(verifier.verify(await token(options))).rejects.toMatchObject({ code });
  });

  it('is refused when another key signed it under our key id, or nothing did', async () => {
    const verifier = await startVerifier();
    await expect(verifier.verify(await token({ key: keys.forged }))).rejects.toMatchObject({
      code: 'unauthenticated',
    });
    const [, body] = (await token()).split('.');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body ?? ''}.`;
    await expect(verifier.verify(none)).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});

describe('key ids that are not known', () => {
  it('make it read the keys again, once a minute at most', async () => {
    const verifier = await startVerifier();
    expect(reads).toBe(1);
    published = [keys.old.jwk, keys.next.jwk];
    const early = await token({ key: keys.next });
    await expect(verifier.verify(early)).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(reads).toBe(1);
    nowMs += 60_000;
    await expect(verifier.verify(await token({ key: keys.next }))).resolves.toMatchObject({ sub });
    expect(reads).toBe(2);
    for (let n = 0; n < 20; n++)
      await expect(verifier.verify(await token({ kid: `forged-${n}` }))).rejects.toMatchObject({
        code: 'unauthenticated',
      });
    expect(reads).toBe(2);
  });
});

describe('revocations', () => {
  it('in force at the start are known', async () => {
    revoked = [revocation({ sid })];
    const verifier = await startVerifier();
    await expect(verifier.verify(await token())).rejects.toMatchObject({ code: 'session_expired' });
  });

  it('heard on the feed hit a session or everything of a person at once, and nobody else', async () => {
    const verifier = await startVerifier();
    const entry = { kind: 'revocation', data: revocation({ sub }) } as unknown as FeedEntry;
    expect(verifier.revocations.hear(entry)).toMatchObject({ sub });
    expect(verifier.revocations.hear({ ...entry, kind: 'event' })).toBeUndefined();
    await expect(verifier.verify(await token())).rejects.toMatchObject({ code: 'session_expired' });
    const other = await token({ claims: { sub: org, sid: org } });
    await expect(verifier.verify(other)).resolves.toMatchObject({ sub: org });
  });

  it('with issued_before hit older tokens only, to the millisecond', async () => {
    const verifier = await startVerifier();
    verifier.revocations.add(revocation({ sub, issued_before: toRfc3339(startMs) }));
    await expect(verifier.verify(await token({ issuedMs: startMs - 1 }))).rejects.toMatchObject({
      code: 'session_expired',
    });
    await expect(verifier.verify(await token({ issuedMs: startMs }))).resolves.toMatchObject({ sub });
  });

  it('do not weaken one that hits all, or one that hits more', () => {
    const claims = { sub, sid, iat: (startMs + 5) / 1_000 };
    const all = new Revocations(clock);
    all.add(revocation({ sub }));
    all.add(revocation({ sub, issued_before: toRfc3339(startMs) }));
    expect(all.hits(claims)).toBe(true);
    const later = new Revocations(clock);
    later.add(revocation({ sub, issued_before: toRfc3339(startMs + 10) }));
    later.add(revocation({ sub, issued_before: toRfc3339(startMs) }));
    expect(later.hits(claims)).toBe(true);
  });

  it('are kept for as long as the longest of them is in force, then forgotten', () => {
    const revocations = new Revocations(clock);
    revocations.add(revocation({ sid, expires_at: toRfc3339(startMs + 300_000) }));
    revocations.add(revocation({ sid, expires_at: toRfc3339(startMs + 1_000) }));
    nowMs = startMs + 299_999;
    expect(revocations.hits({ sub, sid, iat: startMs / 1_000 })).toBe(true);
    nowMs = startMs + 300_000;
    expect(revocations.hits({ sub, sid, iat: startMs / 1_000 })).toBe(false);
  });
});
