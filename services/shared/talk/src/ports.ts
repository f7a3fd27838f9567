/** What the engine needs of the place it runs in: a browser's tab, or Node in tests and load. */
import type { ClientToServer, ServerToClient } from '@siphera/contract';
import type { TalkApi } from './api.ts';

/** Calls of the talk routes. Rejects with an error that has `code` (of the contract) and `status`; `status` 0: not reached. */
export type TalkRest = {
  call(
    route: string,
    args?: { params?: Record<string, string>; query?: Record<string, string>; body?: unknown },
  ): Promise<unknown>;
  upload(
    query: Record<string, string>,
    bytes: Uint8Array,
  ): Promise<{ id: string; bytes: number; expires_at: string }>;
  download(id: string): Promise<Uint8Array>;
};

/** The realtime socket as far as talk needs it; it connects again by itself. */
export type TalkSocket = {
  connected(): boolean;
  on<E extends 'talk' | 'talkGone' | 'presence' | 'reads'>(event: E, hear: ServerToClient[E]): () => void;
  /** Whenever it is connected, also anew. */
  onConnect(hear: () => void): () => void;
  onDisconnect(hear: () => void): () => void;
  talkOpen(open: Parameters<ClientToServer['talkOpen']>[0]): Promise<{ ok: boolean; reason?: string }>;
  talkDone(upto: number): void;
};

/**
 * The engine's own tables: messages, conversations, the send queue, counters, pins of identities. Values are encrypted by the engine
 * before they come here (AES-256-GCM under the store key); keys are not secret but say as little as they can. A transaction is all or nothing.
 */
export type TalkTable = 'meta' | 'messages' | 'conversations' | 'outbox' | 'seen' | 'pins' | 'counters';
export type StoreWrite = {
  table: TalkTable;
  key: string;
  value: Uint8Array | null;
  /** For ranges: e.g. conversation and time. */ order?: string;
};
export type TalkStorage = {
  get(table: TalkTable, key: string): Promise<Uint8Array | undefined>;
  /** Rows whose `order` is at least `from` and below `to`, in order, newest last. With `limit` the first ones, or the `newest`. */
  range(
    table: TalkTable,
    from: string,
    to: string,
    options?: { limit?: number; newest?: boolean },
  ): Promise<{ key: string; order: string; value: Uint8Array }[]>;
  write(writes: readonly StoreWrite[]): Promise<void>;
  wipe(): Promise<void>;
  close(): void;
};

/** The secret half that never leaves this device, and what is remembered about it. */
export type DeviceKeep = {
  /** Devices of this browser, by user: one for each guard of a shared desk. */
  find(
    userId: string,
  ): Promise<
    | { deviceId: string; kind: 'personal' | 'shared'; localShare: Uint8Array; serverShare?: Uint8Array }
    | undefined
  >;
  put(
    userId: string,
    kept: { deviceId: string; kind: 'personal' | 'shared'; localShare: Uint8Array; serverShare?: Uint8Array },
  ): Promise<void>;
  forget(userId: string): Promise<void>;
};

export type TalkPlace = {
  userId: string;
  orgId: string;
  sessionId: () => string;
  rest: TalkRest;
  socket: TalkSocket;
  keep: DeviceKeep;
  /** Opens the tables of a device, making them when they are not there. */
  openStorage(deviceId: string): Promise<TalkStorage>;
  /** Name of the encryption library's own store; undefined: in memory. */
  cryptoStoreName(deviceId: string): string | undefined;
  /** After `close()` of the machine and `free()` of its `StoreHandle`: one that is open yet goes only with the tab. */
  deleteCryptoStore(deviceId: string): Promise<void>;
  now(): number;
  randomUuid(): string;
  randomBytes(count: number): Uint8Array;
  wait(ms: number): Promise<void>;
  /** Where the wasm is, in a browser; undefined in Node. */
  wasmUrl?: URL;
  log(level: 'info' | 'warn' | 'error', event: string, fields?: Record<string, unknown>): void;
};

/** How a place gets its engine (`createTalkEngine`). One at a time for a device: two would ruin each other's sessions. */
export type CreateTalkEngine = (place: TalkPlace) => Promise<TalkApi>;
