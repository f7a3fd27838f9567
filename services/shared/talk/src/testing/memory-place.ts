/** A browser profile in memory: the place of an engine, with a network that can be cut, and a store that survives the engine. */
import { randomUUID, webcrypto } from 'node:crypto';
import type { OlmMachine } from '@matrix-org/matrix-sdk-crypto-wasm';
import type { ServerToClient } from '@siphera/contract';
import type { TalkChange } from '../api.ts';
import type { TalkPlace, TalkSocket } from '../ports.ts';
import { memoryStorage, type MemoryStorage, type StorageSnapshot } from '../side/memory-storage.ts';
import { TalkEngine } from '../engine/engine.ts';
import { openOlm } from '../engine/machine.ts';
import { callRoute, type Args } from './memory-routes.ts';
import type { Caller, MemoryServer, OpenSocket, ServerDevice } from './memory-server.ts';

class Unreached extends Error {
  readonly code = 'unreached';
  readonly status = 0;
}

type Kept = NonNullable<Awaited<ReturnType<TalkPlace['keep']['find']>>>;

/** What happens to a call on its way: `lost` before the server has it, `answer_lost` after. */
type Fate = 'arrives' | 'lost' | 'answer_lost';

export class MemoryProfile {
  readonly server: MemoryServer;
  readonly userId: string;
  readonly caller: Caller;
  readonly changes: TalkChange[] = [];
  readonly logs: string[] = [];
  readonly keep = new Map<string, Kept>();
  fate: (route: string) => Fate = () => 'arrives';
  /** Calls of this route take so long. */
  hangs: (route: string) => Promise<void> | undefined = () => undefined;
  downloadFails: () => boolean = () => false;
  /** Uploads take so long. */
  uploadsHang: Promise<void> | undefined;
  online = true;
  now: () => number;
  engine: TalkEngine;
  #storage = memoryStorage();
  #olm: OlmMachine | undefined;
  #open: OpenSocket | undefined;
  #hears = { talk: new Set<(batch: never) => void>(), talkGone: new Set<(gone: never) => void>() };
  #onConnect = new Set<() => void>();
  #onDisconnect = new Set<() => void>();
  /** Of the batch that was sent last: its position of the device lists. */
  #lists = 0;
  /** Deliver each batch so many times. */
  copies = 1;
  /** So many commits of batches fail: as if the browser had been killed between decrypting and writing. */
  failWrites = 0;

  constructor(server: MemoryServer, userId: string) {
    this.server = server;
    this.userId = userId;
    this.caller = { userId, sid: randomUUID(), device: undefined };
    this.now = () => server.now();
    this.engine = this.#start();
  }

  #start(): TalkEngine {
    const engine = new TalkEngine(this.#place(), {
      // The library has only memory in Node: its machine outlives the engine, as its database would.
      openMachine: async (user, deviceId) => (this.#olm ??= await openOlm(user, deviceId)),
    });
    engine.subscribe((change) => this.changes.push(change));
    return engine;
  }

  /** As if the browser had been killed now: what was committed is there, nothing else. */
  async restart(): Promise<void> {
    const snapshot: StorageSnapshot = this.#storage.snapshot();
    const old = this.engine;
    this.disconnect();
    this.#hears = { talk: new Set(), talkGone: new Set() };
    this.#onConnect = new Set();
    this.#onDisconnect = new Set();
    this.#storage.close();
    await old.close().catch(() => undefined);
    this.#storage = memoryStorage(snapshot);
    this.engine = this.#start();
    this.connect();
    await this.engine.open();
  }

  disconnect(): void {
    this.online = false;
    const device = this.caller.device === undefined ? undefined : this.server.devices.get(this.caller.device);
    if (device && device.socket === this.#open) device.socket = undefined;
    this.#open = undefined;
    for (const hear of this.#onDisconnect) hear();
  }

  connect(): void {
    this.online = true;
    for (const hear of this.#onConnect) hear();
  }

  async #call(route: string, args: Args): Promise<unknown> {
    await this.hangs(route);
    const fate = this.online ? this.fate(route) : 'lost';
    if (fate === 'lost') throw new Unreached('not reached');
    const answer = await callRoute(this.server, this.caller, route, args);
    if (fate === 'answer_lost') throw new Unreached('not reached');
    return answer;
  }

  #socket(): TalkSocket {
    return {
      connected: () => this.online,
      on: (event, hear) => {
        const sets: Partial<Record<string, Set<unknown>>> = this.#hears;
        sets[event]?.add(hear);
        return () => void sets[event]?.delete(hear);
      },
      onConnect: (hear) => {
        this.#onConnect.add(hear);
        return () => this.#onConnect.delete(hear);
      },
      onDisconnect: (hear) => {
        this.#onDisconnect.add(hear);
        return () => this.#onDisconnect.delete(hear);
      },
      talkOpen: async ({ device_id: id }) => this.#talkOpen(id),
      talkDone: (upto) => this.#talkDone(upto),
    };
  }

  #talkOpen(id: string): { ok: boolean; reason?: string } {
    if (!this.online) throw new Unreached('not reached');
    if (this.caller.device !== id) return { ok: false, reason: 'not_attached' };
    const found = this.server.devices.get(id);
    if (!found) return { ok: false, reason: 'removed' };
    const device: ServerDevice = found;
    const socket: OpenSocket = {
      waits: undefined,
      batch: (batch) => this.#heardBatch(socket, batch),
      gone: (reason) => this.#hears.talkGone.forEach((hear) => hear({ reason } as never)),
    };
    this.#open = socket;
    device.socket = socket;
    queueMicrotask(() => this.server.push(device, true));
    return { ok: true };
  }

  #heardBatch(socket: OpenSocket, batch: unknown): void {
    if (socket !== this.#open) return;
    this.#lists = (batch as { device_lists: { upto: number } }).device_lists.upto;
    for (let copy = 0; copy < this.copies; copy += 1)
      for (const hear of this.#hears.talk) (hear as ServerToClient['talk'])(structuredClone(batch) as never);
  }

  #talkDone(upto: number): void {
    const device = this.caller.device === undefined ? undefined : this.server.devices.get(this.caller.device);
    if (device && this.online && device.socket === this.#open && this.fate('talkDone') === 'arrives')
      this.server.acknowledge(device, upto, this.#lists);
  }

  #failing(storage: MemoryStorage): MemoryStorage {
    return {
      ...storage,
      write: async (writes) => {
        if (this.failWrites > 0 && writes.some((one) => one.key === 'applied')) {
          this.failWrites -= 1;
          throw new Error('The browser was killed');
        }
        await storage.write(writes);
      },
    };
  }

  /** For tests of single parts. */
  get place(): TalkPlace {
    return this.#place();
  }

  #place(): TalkPlace {
    return {
      userId: this.userId,
      orgId: this.server.orgId,
      sessionId: () => this.caller.sid,
      rest: {
        call: (route, args = {}) => this.#call(route, args),
        upload: async (_query, bytes) => {
          await this.uploadsHang;
          if (!this.online) throw new Unreached('not reached');
          const id = randomUUID();
          this.server.files.set(id, bytes.slice());
          return { id, bytes: bytes.length, expires_at: this.server.at() };
        },
        download: async (id) => {
          const bytes = this.server.files.get(id);
          if (!bytes || !this.online || this.downloadFails()) throw new Unreached('not reached');
          return bytes.slice();
        },
      },
      socket: this.#socket(),
      keep: {
        find: async (userId) => this.keep.get(userId),
        put: async (userId, kept) => void this.keep.set(userId, kept),
        forget: async (userId) => void this.keep.delete(userId),
      },
      openStorage: async () => this.#failing(this.#storage),
      cryptoStoreName: () => undefined,
      deleteCryptoStore: async () => {
        this.#olm = undefined;
        this.#storage = memoryStorage();
      },
      now: () => this.now(),
      randomUuid: () => randomUUID(),
      randomBytes: (count) => webcrypto.getRandomValues(new Uint8Array(count)),
      wait: (ms) =>
        new Promise((resolve) => {
          // Faster than life: what waits for a minute waits for a blink here, and no test is held open by it.
          setTimeout(resolve, Math.min(ms / 4, 250)).unref();
        }),
      log: (level, event, fields) => void this.logs.push(`${level} ${event} ${JSON.stringify(fields ?? {})}`),
    };
  }
}
