/** Sockets by person. A socket is in here from its welcome until it is gone, whoever ended it. */
import type { Sockets, TalkSignals } from '../ground.ts';
import type { ConsoleSocket } from './socket-server.ts';

export class TalkSockets implements Sockets {
  readonly #signals: TalkSignals;
  readonly #byUser = new Map<string, Set<ConsoleSocket>>();

  constructor(signals: TalkSignals) {
    this.#signals = signals;
  }

  /** Takes in a socket that was let in, and lets it go by itself. */
  add(socket: ConsoleSocket): void {
    const { sub: userId, org: orgId } = socket.data.claims;
    const sockets = this.#byUser.get(userId) ?? new Set();
    this.#byUser.set(userId, sockets.add(socket));
    socket.once('disconnect', () => {
      sockets.delete(socket);
      if (sockets.size > 0) return;
      this.#byUser.delete(userId);
      this.#signals.emit({ kind: 'online', userId, orgId, online: false });
    });
    if (sockets.size === 1) this.#signals.emit({ kind: 'online', userId, orgId, online: true });
  }

  open(orgId: string): ConsoleSocket[] {
    return this.#all().filter(({ data }) => data.claims.org === orgId && data.device !== undefined);
  }

  ofUser(userId: string): ConsoleSocket[] {
    return [...(this.#byUser.get(userId) ?? [])];
  }

  ofSession(sid: string): ConsoleSocket[] {
    return this.#all().filter(({ data }) => data.claims.sid === sid);
  }

  online(userId: string): boolean {
    return this.#byUser.has(userId);
  }

  #all(): ConsoleSocket[] {
    return [...this.#byUser.values()].flatMap((sockets) => [...sockets]);
  }
}
