/** The place of an engine at a real box: its REST, its socket; the store in memory, which outlives the engine as a database would. */
import { randomUUID, webcrypto } from 'node:crypto';
import type { OlmMachine } from '@matrix-org/matrix-sdk-crypto-wasm';
import { talkRoutes, type TalkRouteName } from '@siphera/contract';
import { call, openConsole, RefusedCall, type Box, type Console } from '@siphera/testkit';
import type { TalkChange } from '../api.ts';
import { createTalkEngine, type TalkEngine } from '../engine/engine.ts';
import { openOlm } from '../engine/machine.ts';
import type { TalkPlace, TalkSocket } from '../ports.ts';
import { memoryStorage, type MemoryStorage } from '../side/memory-storage.ts';

type Kept = NonNullable<Awaited<ReturnType<TalkPlace['keep']['find']>>>;
type Claims = { sub: string; sid: string; org: string };
type AnyCall = (box: Box, route: TalkRouteName, input: object) => Promise<unknown>;
const openMsMax = 30_000;

/** As the port wants it: what did not come through has status 0. */
class NotReached extends Error {
  readonly code = 'unreached';
  readonly status = 0;
}

export class BoxProfile {
  readonly box: Box;
  readonly claims: Claims;
  readonly changes: TalkChange[] = [];
  readonly logs: string[] = [];
  engine!: TalkEngine;
  readonly #token: string;
  readonly #keep = new Map<string, Kept>();
  #storage: MemoryStorage = memoryStorage();
  #olm: OlmMachine | undefined;
  #console: Console | undefined;
  #listeners = new Map<string, Set<(value: never) => void>>();

  private constructor(box: Box, token: string) {
    this.box = box;
    this.#token = token;
    this.claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Claims;
  }

  /** Connects and opens; the device is not made yet. */
  static async start(box: Box, token: string): Promise<BoxProfile> {
    const profile = new BoxProfile(box, token);
    await profile.connect();
    await profile.open();
    return profile;
  }

  /** As another page over the same profile: what was committed is there. */
  async open(): Promise<void> {
    const snapshot = this.#storage.snapshot();
    this.#storage = memoryStorage(snapshot);
    this.#listeners = new Map();
    this.engine = await createTalkEngine(this.#place(), {
      openMachine: async (user, deviceId) => (this.#olm ??= await openOlm(user, deviceId)),
    });
    this.engine.subscribe((change) => this.changes.push(change));
  }

  async connect(): Promise<void> {
    const console = await openConsole(this.box, this.#token);
    this.#console = console;
    for (const event of ['talk', 'talkGone', 'presence', 'reads'] as const)
      console.socket.on(event, (value: unknown) => this.#tell(event, value as never));
    console.socket.on('disconnect', () => this.#tell('disconnect', undefined as never));
    this.#tell('connect', undefined as never);
  }

  async disconnect(): Promise<void> {
    await this.#console?.close();
    this.#console = undefined;
  }

  async stop(): Promise<void> {
    await this.engine.close();
    await this.disconnect();
  }

  /** Names of the messages that the server keeps for the person's devices to come. */
  async archived(): Promise<string[]> {
    const { items } = (await this.#call('getArchive', { query: {} })) as { items: { id: string }[] };
    return items.map(({ id }) => id);
  }

  #tell(event: string, value: never): void {
    for (const hear of this.#listeners.get(event) ?? []) hear(value);
  }

  #on(event: string, hear: (value: never) => void): () => void {
    const all = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, all.add(hear));
    return () => void all.delete(hear);
  }

  async #call(route: string, input: object): Promise<unknown> {
    if (!(route in talkRoutes)) throw new Error(`There is no route ${route}`);
    try {
      return await (call as unknown as AnyCall)(this.box, route as TalkRouteName, {
        ...input,
        token: this.#token,
      });
    } catch (error) {
      if (error instanceof RefusedCall) throw error;
      throw new NotReached('The box is not reached', { cause: error });
    }
  }

  #socket(): TalkSocket {
    return {
      connected: () => this.#console?.socket.connected ?? false,
      on: (event, hear) => this.#on(event, hear),
      onConnect: (hear) => this.#on('connect', hear),
      onDisconnect: (hear) => this.#on('disconnect', hear),
      talkOpen: (open) =>
        new Promise((resolve) => {
          const { socket } = this.#console ?? {};
          if (!socket) resolve({ ok: false, reason: 'offline' });
          else
            socket
              .timeout(openMsMax)
              .emit('talkOpen', open, (error: Error | null, result?: { ok: boolean; reason?: string }) =>
                resolve(error === null && result ? result : { ok: false, reason: 'timeout' }),
              );
        }),
      talkDone: (upto) => void this.#console?.socket.emit('talkDone', upto),
    };
  }

  #place(): TalkPlace {
    return {
      userId: this.claims.sub,
      orgId: this.claims.org,
      sessionId: () => this.claims.sid,
      rest: {
        call: (route, args = {}) => this.#call(route, args),
        upload: async (query, bytes) => {
          const upload = { mediaType: 'application/octet-stream', bytes: Buffer.from(bytes) };
          return (await this.#call('uploadTalkFile', { query, upload })) as {
            id: string;
            bytes: number;
            expires_at: string;
          };
        },
        download: async (id) =>
          new Uint8Array((await this.#call('getTalkFile', { params: { id } })) as Buffer),
      },
      socket: this.#socket(),
      keep: {
        find: async (userId) => this.#keep.get(userId),
        put: async (userId, kept) => void this.#keep.set(userId, kept),
        forget: async (userId) => void this.#keep.delete(userId),
      },
      openStorage: async () => this.#storage,
      cryptoStoreName: () => undefined,
      deleteCryptoStore: async () => {
        this.#olm = undefined;
        this.#storage = memoryStorage();
      },
      now: () => Math.floor(performance.timeOrigin + performance.now()),
      randomUuid: () => randomUUID(),
      randomBytes: (count) => webcrypto.getRandomValues(new Uint8Array(count)),
      wait: (ms) =>
        new Promise((resolve) => {
          setTimeout(resolve, ms).unref();
        }),
      log: (level, event, fields) => void this.logs.push(`${level} ${event} ${JSON.stringify(fields ?? {})}`),
    };
  }
}
