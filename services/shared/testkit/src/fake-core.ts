/**
 * Core's internal API for the tests of other services: a real HTTP server on a unix socket. It keeps events by
 * (source, id) as core does, answers after it "committed", can be stopped and started, and can break off an answer
 * after the commit, so that the caller does not know. It has a small registry of areas and devices, and people and places.
 */
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { rmSync } from 'node:fs';
import {
  eventTypes,
  InternalAppend,
  InternalAudit,
  InternalCommandResult,
  InternalEvidence,
  InternalHeartbeat,
  internalPaths,
  tokenAudience,
  tokenIssuer,
  type AppendResult,
  type FeedEntry,
  type Grant,
  type IncomingEvent,
  type InternalGrants,
} from '@siphera/contract';
import { FakeDirectory } from './fake-core-directory.ts';
import { FakeRegistry } from './fake-core-registry.ts';

export type CommittedEvent = IncomingEvent & { data: Record<string, unknown> };

const feedTime = '2026-11-22T00:00:00.000Z';

export class FakeCore {
  readonly socketPath: string;
  readonly events: CommittedEvent[] = [];
  readonly deadLetters: { event: IncomingEvent; reason: string }[] = [];
  readonly audits: Record<string, unknown>[] = [];
  readonly heartbeats: unknown[] = [];
  readonly batches: number[] = [];
  readonly commandResults: unknown[] = [];
  readonly evidence: unknown[] = [];
  readonly registry = new FakeRegistry((entry) => this.tell(entry));
  readonly directory = new FakeDirectory((entry) => this.tell(entry));
  /** Bodies posted to paths that tests give an answer for, in order. */
  readonly posts: { path: string; body: unknown }[] = [];
  /** Answers to posts that this core has no rules of its own for (incidents, commands), by path. A throw becomes 500. */
  readonly answers = new Map<string, (body: unknown) => unknown>();
  readonly #feedEntries: FeedEntry[] = [];
  #upto = 7;
  /** Commits, then drops the connection instead of answering. */
  breakAnswers = false;
  /** Devices that are not in the registry any more: events about them become dead letters. */
  readonly removedDevices = new Set<string>();
  /** What everybody may do now, as services ask for it beyond a token's life. */
  presentGrants: InternalGrants = { active: true, grants: [] };
  /** Code of the problem that unknown paths are answered with; undefined: a plain 404. */
  unknownPathCode: string | undefined;
  /** Refuses appends with this problem. */
  refuseWith: { status: number; code: string } | undefined;
  readonly #seen = new Set<string>();
  readonly #key: KeyObject;
  readonly #jwk: Record<string, unknown>;
  readonly #open = new Set<ServerResponse>();
  readonly #followers = new Set<() => void>();
  #server: Server | undefined;

  constructor(socketPath: string) {
    this.socketPath = socketPath;
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    this.#key = privateKey;
    this.#jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'test', alg: 'EdDSA', use: 'sig' };
  }

  async start(): Promise<void> {
    rmSync(this.socketPath, { force: true });
    const server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.socketPath, resolve));
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    for (const response of this.#open) response.destroy();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }

  /** An access token with these grants; `who` is one person and one session unless told otherwise. */
  token(
    org: string,
    grants: readonly Grant[],
    nowMs: number,
    name = 'Ada Admin',
    who: { sub?: string; sid?: string; kind?: 'user' | 'api_key' } = {},
  ): string {
    const iat = Math.floor(nowMs / 1_000);
    const claims = {
      iss: tokenIssuer,
      aud: tokenAudience,
      sub: '0192f000-0000-7000-8000-00000000000a',
      sid: '0192f000-0000-7000-8000-00000000000b',
      kind: 'user',
      ...who,
      org,
      name,
      grants,
      iat,
      exp: iat + 300,
    };
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const text = `${part({ alg: 'EdDSA', kid: 'test' })}.${part(claims)}`;
    return `${text}.${sign(null, Buffer.from(text), this.#key).toString('base64url')}`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?')[0];
    const body = await readJson(request);
    switch (path) {
      case internalPaths.feed:
        this.#feed(new URL(request.url ?? '', 'http://core'), response);
        break;
      case internalPaths.jwks:
        send(response, 200, { keys: [this.#jwk] });
        break;
      case internalPaths.revocations:
        send(response, 200, { upto: this.#upto, items: [] });
        break;
      case internalPaths.heartbeat:
        this.heartbeats.push(InternalHeartbeat.parse(body));
        send(response, 200, {});
        break;
      case internalPaths.audit:
        this.audits.push(InternalAudit.parse(body));
        send(response, 200, {});
        break;
      case internalPaths.events:
        this.#append(body, response);
        break;
      case internalPaths.grants:
        send(response, 200, this.presentGrants);
        break;
      case internalPaths.commandResult:
        this.commandResults.push(InternalCommandResult.parse(body));
        send(response, 200, {});
        break;
      case internalPaths.evidence:
        this.evidence.push(InternalEvidence.parse(body));
        send(response, 200, {});
        break;
      case internalPaths.devices:
      case internalPaths.removeDevice:
        this.#registry(path, request.method, body, response);
        break;
      case internalPaths.people:
        send(response, 200, { items: [...this.directory.people.values()], upto: this.#upto });
        break;
      case internalPaths.places: {
        const { sites, places } = this.directory;
        send(response, 200, { sites, areas: places, upto: this.#upto });
        break;
      }
      default:
        this.#other(path ?? '', body, response);
    }
  }

  #other(path: string, body: unknown, response: ServerResponse): void {
    const answer = this.answers.get(path);
    if (answer) {
      this.posts.push({ path, body });
      send(response, 200, answer(body) ?? {});
      return;
    }
    if (this.unknownPathCode) refuse(response, { status: 404, code: this.unknownPathCode });
    else send(response, 404, {});
  }

  #registry(path: string, method: string | undefined, body: unknown, response: ServerResponse): void {
    if (method === 'GET') {
      send(response, 200, { ...this.registry.reading(), upto: this.#upto });
      return;
    }
    const { status, answer } =
      path === internalPaths.devices ? this.registry.add(body) : this.registry.remove(body);
    send(response, status, answer);
  }

  /** Puts an entry on the feed; followers get it at once, later ones when they ask for what came before it. */
  tell(entry: Omit<FeedEntry, 'seq' | 'at'>): void {
    this.#upto += 1;
    this.#feedEntries.push({ ...entry, seq: this.#upto, at: feedTime });
    for (const follower of this.#followers) follower();
  }

  #append(body: unknown, response: ServerResponse): void {
    if (this.refuseWith) {
      refuse(response, this.refuseWith);
      return;
    }
    const { events } = InternalAppend.parse(body);
    const results = events.map((event) => this.#commit(event as CommittedEvent));
    this.batches.push(events.length);
    if (this.breakAnswers) response.destroy();
    else send(response, 200, { results });
  }

  #commit(event: CommittedEvent): AppendResult {
    const identity = `${event.source} ${event.id}`;
    if (this.#seen.has(identity)) return { id: event.id, status: 'duplicate' };
    this.#seen.add(identity);
    if (event.subject !== undefined && this.removedDevices.has(event.subject)) {
      this.deadLetters.push({ event, reason: 'unknown device' });
      return { id: event.id, status: 'dead_lettered', reason: `There is no device ${event.subject}.` };
    }
    const fits = eventTypes[event.type]?.data.safeParse(event.data);
    if (!fits?.success) {
      this.deadLetters.push({ event, reason: fits?.error.message ?? `unknown type ${event.type}` });
      return { id: event.id, status: 'dead_lettered' };
    }
    this.events.push(event);
    return { id: event.id, status: 'accepted', seq: this.events.length };
  }

  /** What came after `after`, then heartbeat lines, often enough to be fresh. */
  #feed(url: URL, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    this.#open.add(response);
    let after = Number(url.searchParams.get('after') ?? this.#upto);
    const kinds = url.searchParams.get('kinds')?.split(',');
    const beat = (): void => {
      const entries = this.#feedEntries.filter(
        (entry) => entry.seq > after && (kinds?.includes(entry.kind) ?? true),
      );
      after = this.#upto;
      response.write(`${JSON.stringify({ entries, upto: after, at: feedTime })}\n`);
    };
    beat();
    const timer = setInterval(beat, 500);
    this.#followers.add(beat);
    response.once('close', () => {
      clearInterval(timer);
      this.#followers.delete(beat);
      this.#open.delete(response);
    });
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return parts.length === 0 ? undefined : JSON.parse(Buffer.concat(parts).toString('utf8'));
}

function send(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function refuse(response: ServerResponse, { status, code }: { status: number; code: string }): void {
  send(response, status, { type: `urn:${code}`, title: code, status, code });
}
