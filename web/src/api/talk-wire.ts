/**
 * Talk on the realtime socket. The socket comes and goes with the sign-in; who talks keeps this. On core's event stream, to which
 * the console falls back, there is no talk: it is offline then. What must stay true: nothing is kept back here while the socket
 * is away, because what was acknowledged or opened on the socket before means nothing on the next.
 */
import type { ClientToServer, ServerToClient } from '@siphera/contract';
import type { Socket } from 'socket.io-client';

export type TalkEvent = 'talk' | 'talkGone' | 'presence' | 'reads';
type Listeners = { [E in TalkEvent]: Set<ServerToClient[E]> };
type TalkOpened = { ok: boolean; reason?: string };

/** Signaling answers from memory; after this long it is away, and the next connection opens anew. */
const openMsMax = 10_000;

export class TalkWire {
  readonly #listeners: Listeners = {
    talk: new Set(),
    talkGone: new Set(),
    presence: new Set(),
    reads: new Set(),
  };
  readonly #connects = new Set<() => void>();
  readonly #disconnects = new Set<() => void>();
  #socket: Socket<ServerToClient, ClientToServer> | undefined;

  /** For who made the socket. Answers what takes it away again. */
  bind(socket: Socket<ServerToClient, ClientToServer>): () => void {
    this.#socket = socket;
    socket.on('talk', (batch) => this.#tell('talk', batch));
    socket.on('talkGone', (gone) => this.#tell('talkGone', gone));
    socket.on('presence', (changed) => this.#tell('presence', changed));
    socket.on('reads', (reads) => this.#tell('reads', reads));
    socket.on('connect', () => this.#each(this.#connects));
    socket.on('disconnect', () => this.#each(this.#disconnects));
    return () => {
      if (this.#socket !== socket) return;
      const wasConnected = socket.connected;
      this.#socket = undefined;
      if (wasConnected) this.#each(this.#disconnects);
    };
  }

  connected(): boolean {
    return this.#socket?.connected ?? false;
  }

  on<E extends TalkEvent>(event: E, hear: ServerToClient[E]): () => void {
    const set: Set<ServerToClient[E]> = this.#listeners[event];
    set.add(hear);
    return () => set.delete(hear);
  }

  onConnect(hear: () => void): () => void {
    this.#connects.add(hear);
    return () => this.#connects.delete(hear);
  }

  onDisconnect(hear: () => void): () => void {
    this.#disconnects.add(hear);
    return () => this.#disconnects.delete(hear);
  }

  async talkOpen(open: Parameters<ClientToServer['talkOpen']>[0]): Promise<TalkOpened> {
    const socket = this.#socket;
    if (!socket?.connected) return { ok: false, reason: 'offline' };
    return new Promise((resolve) => {
      socket.timeout(openMsMax).emit('talkOpen', open, (error: Error | null, result?: TalkOpened) => {
        resolve(error === null && result ? result : { ok: false, reason: 'timeout' });
      });
    });
  }

  /** What is not acknowledged now comes again on the next socket. */
  talkDone(upto: number): void {
    if (this.#socket?.connected) this.#socket.emit('talkDone', upto);
  }

  #tell<E extends TalkEvent>(event: E, ...args: Parameters<ServerToClient[E]>): void {
    for (const hear of this.#listeners[event] as Set<(...args: Parameters<ServerToClient[E]>) => void>)
      hear(...args);
  }

  #each(runs: ReadonlySet<() => void>): void {
    for (const run of runs) run();
  }
}
