/**
 * Core's internal API as far as signaling uses it, on a unix socket, for tests: an append-only feed, keys, revocations,
 * heartbeats, people, passwords, and what signaling tells it. It can lose its early entries.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  accessTokenLifeSeconds,
  internalPaths,
  tokenAudience,
  tokenIssuer,
  type AccessClaims,
  type FeedEntry,
  type FeedLine,
  type Grant,
  InternalCheckPassword,
  InternalRevokeSession,
  type InternalHeartbeat,
  type InternalPerson,
  type Revocation,
} from '@siphera/contract';
import { startListener, systemClock, systemRandom, toRfc3339, type TlsFiles } from '@siphera/runtime';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';

const heartbeatMs = 200;

export type EntryInput = Partial<Pick<FeedEntry, 'audience' | 'scopes' | 'kind' | 'action' | 'data' | 'id'>>;
export type TokenInput = {
  sub?: string;
  sid?: string;
  kind?: AccessClaims['kind'];
  name?: string;
  grants?: Grant[];
  lifeSeconds?: number;
  issuedAt?: number;
};

export type FeedServer = AsyncDisposable & {
  url: string;
  entries: FeedEntry[];
  heartbeats: InternalHeartbeat[];
  /** Everybody of `GET people`. */
  people: Map<string, InternalPerson>;
  /** By user. */
  passwords: Map<string, string>;
  /** Other calls that were taken, in order. A session that is revoked so is revoked in the feed too. */
  calls: { path: string; body: unknown }[];
  /** Adds somebody, or changes him, and says so in the feed. */
  putPerson: (person: InternalPerson) => void;
  /** Answered feed requests: the position each asked for. */
  asked: (number | undefined)[];
  append: (...inputs: EntryInput[]) => FeedEntry[];
  revoke: (revocation: Omit<Revocation, 'reason' | 'expires_at'>) => void;
  token: (input?: TokenInput) => Promise<string>;
  forgedToken: () => Promise<string>;
  /** Positions up to here are answered with 410. */
  forget: (upto: number) => void;
  /** Whether `GET people` is answered with an error from now on. */
  failPeople: (fails: boolean) => void;
  close: () => Promise<void>;
};

export const orgScope = `org:${systemRandom.uuid()}`;
export const grant = (scope: string, ...permissions: Grant['permissions']): Grant => ({ scope, permissions });

type State = {
  entries: FeedEntry[];
  revocations: Revocation[];
  streams: Set<ServerResponse>;
  forgotten: number;
  asked: (number | undefined)[];
  heartbeats: InternalHeartbeat[];
  people: Map<string, InternalPerson>;
  peopleFail: boolean;
  passwords: Map<string, string>;
  calls: { path: string; body: unknown }[];
  revoke: FeedServer['revoke'];
  jwk: JWK;
};

/** @param address `unix:/path`, or `host:port` with the files of mutual TLS. */
export async function startFeedServer(address: string, tls?: TlsFiles): Promise<FeedServer> {
  const pair = await generateKeyPair('EdDSA', { extractable: true });
  const jwk: JWK = { ...(await exportJWK(pair.publicKey)), kid: 'test', alg: 'EdDSA', use: 'sig' };
  const state: State = {
    entries: [],
    revocations: [],
    streams: new Set(),
    forgotten: -1,
    asked: [],
    heartbeats: [],
    people: new Map(),
    peopleFail: false,
    passwords: new Map(),
    calls: [],
    revoke: (hit) => {
      const expires = systemClock.now() + accessTokenLifeSeconds * 1_000;
      const data: Revocation = { ...hit, reason: 'test', expires_at: toRfc3339(expires) };
      state.revocations.push(data);
      append({ kind: 'revocation', audience: 'identity.manage', data });
    },
    jwk,
  };
  const listener = await startListener(
    address,
    (request, response) => {
      void answer(state, request, response);
    },
    tls,
  );
  const timer = setInterval(() => broadcast(state, []), heartbeatMs);
  const append = (...inputs: EntryInput[]): FeedEntry[] => {
    const made = inputs.map((input, index) => makeEntry(state.entries.length + 1 + index, input));
    state.entries.push(...made);
    broadcast(state, made);
    return made;
  };
  const close = async (): Promise<void> => {
    clearInterval(timer);
    await listener.close();
  };
  return {
    url: tls ? `https://${address}` : address,
    entries: state.entries,
    heartbeats: state.heartbeats,
    asked: state.asked,
    people: state.people,
    passwords: state.passwords,
    calls: state.calls,
    append,
    putPerson: (person) => {
      const action = state.people.has(person.id) ? 'updated' : 'created';
      state.people.set(person.id, person);
      append({ kind: 'user', action, id: person.id, audience: 'identity.manage', data: { id: person.id } });
    },
    revoke: state.revoke,
    token: (input) => signToken(pair.privateKey, input),
    forgedToken: async () => signToken((await generateKeyPair('EdDSA')).privateKey),
    forget: (upto) => {
      state.forgotten = upto;
    },
    failPeople: (fails) => {
      state.peopleFail = fails;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function makeEntry(seq: number, input: EntryInput): FeedEntry {
  return {
    seq,
    at: toRfc3339(systemClock.now()),
    kind: 'event',
    action: 'created',
    id: `entry-${seq}`,
    audience: 'event.read',
    scopes: [orgScope],
    data: {},
    ...input,
  };
}

function signToken(key: CryptoKey, input: TokenInput = {}): Promise<string> {
  const issuedAt = input.issuedAt ?? systemClock.now() / 1_000;
  const expires = Math.ceil(issuedAt + (input.lifeSeconds ?? accessTokenLifeSeconds));
  return new SignJWT({
    iss: tokenIssuer,
    aud: tokenAudience,
    sub: input.sub ?? systemRandom.uuid(),
    sid: input.sid ?? systemRandom.uuid(),
    kind: input.kind ?? 'user',
    org: orgScope.slice('org:'.length),
    name: input.name ?? 'Test guard',
    grants: input.grants ?? [grant(orgScope, 'event.read', 'incident.read')],
    iat: issuedAt,
    exp: expires,
  })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'test' })
    .sign(key);
}

function broadcast(state: State, entries: FeedEntry[]): void {
  for (const stream of state.streams) writeLine(state, stream, entries);
}

function writeLine(state: State, stream: ServerResponse, entries: FeedEntry[]): void {
  const line: FeedLine = { entries, upto: state.entries.length, at: toRfc3339(systemClock.now()) };
  stream.write(`${JSON.stringify(line)}\n`);
}

async function answer(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://core');
  const json = (value: unknown): void => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };
  if (url.pathname === internalPaths.jwks) {
    json({ keys: [state.jwk] });
    return;
  }
  if (url.pathname === internalPaths.revocations) {
    json({ upto: state.entries.length, items: state.revocations });
    return;
  }
  if (url.pathname === internalPaths.people && !state.peopleFail) {
    json({ items: [...state.people.values()], upto: state.entries.length });
    return;
  }
  if (url.pathname === internalPaths.feed) {
    follow(state, url.searchParams, response);
    return;
  }
  if (request.method !== 'POST') return void response.writeHead(404).end();
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  const body = JSON.parse(Buffer.concat(parts).toString()) as unknown;
  if (url.pathname === internalPaths.checkPassword) {
    const { user_id: userId, password } = InternalCheckPassword.parse(body);
    json({ ok: state.passwords.get(userId) === password });
    return;
  }
  take(state, url.pathname, body);
  response.writeHead(204).end();
}

function take(state: State, path: string, body: unknown): void {
  if (path === internalPaths.heartbeat) {
    state.heartbeats.push(body as InternalHeartbeat);
    return;
  }
  state.calls.push({ path, body });
  if (path === internalPaths.revokeSession) state.revoke({ sid: InternalRevokeSession.parse(body).sid });
}

function follow(state: State, query: URLSearchParams, response: ServerResponse): void {
  const afterText = query.get('after');
  const kinds = query.get('kinds')?.split(',');
  const after = afterText === null ? state.entries.length : Number(afterText);
  state.asked.push(afterText === null ? undefined : after);
  if (after < state.forgotten || after > state.entries.length) {
    response.writeHead(410, { 'content-type': 'application/problem+json' }).end('{}');
    return;
  }
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.on('close', () => state.streams.delete(response));
  writeLine(
    state,
    response,
    state.entries.filter((entry) => entry.seq > after && (kinds?.includes(entry.kind) ?? true)),
  );
  state.streams.add(response);
}
