/** Who is online, on duty, not to be disturbed; told to everybody of the organisation who has a queue open. */
import { internalPaths, type InternalDuty, type Presence } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime';
import type { z } from 'zod';
import type { ConsoleSocket } from './socket-server.ts';
import type { Ground } from '../ground.ts';
import type { PresenceRow, PresenceStore } from '../store/presence.store.ts';

/** After a restart everybody comes back at once: changes of this time go out together, once to each socket. */
const gatherMs = 200;
/** A do-not-disturb that is over is shown as over within this. */
const expiryMs = 1_000;

export type PresenceBoardOptions = Pick<Ground, 'clock' | 'db' | 'log' | 'outbox' | 'people' | 'sockets'> & {
  store: PresenceStore;
};

export class PresenceBoard {
  readonly #options: PresenceBoardOptions;
  readonly #changed = new Map<string, Set<string>>();
  #timer: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;

  constructor(options: PresenceBoardOptions) {
    this.#options = options;
  }

  start(): void {
    // Core may have been set up anew, or brought back from a backup, since it was told.
    for (const { userId, dutySinceMs } of this.#options.store.onDuty())
      this.#tellCore(userId, true, dutySinceMs);
    this.#expiry = setInterval(() => this.#expire(), expiryMs);
  }

  stop(): void {
    clearInterval(this.#expiry);
    clearTimeout(this.#timer);
  }

  of(userId: string): Presence {
    return this.#toWire(userId, this.#options.store.get(userId));
  }

  /** Of everybody who can sign in. */
  inOrg(orgId: string): Map<string, Presence> {
    const rows = this.#options.store.inOrg(orgId);
    const people = this.#options.people.all(orgId).filter(({ active }) => active);
    return new Map(people.map(({ id }) => [id, this.#toWire(id, rows.get(id))]));
  }

  /** @param wish what is absent stays as it is; times are UTC milliseconds. */
  set(user: { id: string; orgId: string }, wish: { onDuty?: boolean; dndUntilMs?: number | null }): Presence {
    const { store, clock, db } = this.#options;
    const nowMs = clock.now();
    const before = store.get(user.id);
    const onDuty = wish.onDuty ?? before?.dutySinceMs !== undefined;
    const dndUntilMs = wish.dndUntilMs === undefined ? before?.dndUntilMs : (wish.dndUntilMs ?? undefined);
    db.transaction(() => {
      store.save({
        userId: user.id,
        orgId: user.orgId,
        dutySinceMs: onDuty ? (before?.dutySinceMs ?? nowMs) : undefined,
        dndUntilMs: dndUntilMs !== undefined && dndUntilMs > nowMs ? dndUntilMs : undefined,
      });
      if (onDuty !== (before?.dutySinceMs !== undefined)) this.#tellCore(user.id, onDuty, nowMs);
    })();
    this.changed(user.orgId, user.id);
    return this.of(user.id);
  }

  /** His account is gone or off: who comes back says anew whether he is on duty. */
  remove(userId: string): void {
    const { store, clock, db } = this.#options;
    db.transaction(() => {
      if (store.get(userId)?.dutySinceMs !== undefined) this.#tellCore(userId, false, clock.now());
      store.remove(userId);
    })();
  }

  /** Goes out soon, together with what else changes. */
  changed(orgId: string, userId: string): void {
    const users = this.#changed.get(orgId) ?? new Set();
    this.#changed.set(orgId, users.add(userId));
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#tell();
    }, gatherMs);
  }

  tellAll(socket: ConsoleSocket): void {
    socket.emit('presence', [...this.inOrg(socket.data.claims.org).values()]);
  }

  /** Phones of the house ring who is on duty; they know it from core. */
  #tellCore(userId: string, onDuty: boolean, atMs: number): void {
    const duty: z.infer<typeof InternalDuty> = { user_id: userId, on_duty: onDuty, at: toRfc3339(atMs) };
    this.#options.outbox.post(internalPaths.duty, duty);
  }

  #tell(): void {
    const told = [...this.#changed];
    this.#changed.clear();
    try {
      for (const [orgId, users] of told) {
        const presences = [...users].map((id) => this.of(id));
        for (const socket of this.#options.sockets.open(orgId)) socket.emit('presence', presences);
      }
    } catch (error) {
      this.#options.log.error('presence_not_told', { error });
    }
  }

  #expire(): void {
    try {
      for (const { orgId, userId } of this.#options.store.endDisturbance(this.#options.clock.now()))
        this.changed(orgId, userId);
    } catch (error) {
      this.#options.log.error('presence_not_expired', { error });
    }
  }

  #toWire(userId: string, row: PresenceRow | undefined): Presence {
    const { clock, sockets } = this.#options;
    const { dutySinceMs, dndUntilMs } = row ?? {};
    const disturbed = dndUntilMs === undefined || dndUntilMs <= clock.now();
    return {
      user_id: userId,
      online: sockets.online(userId),
      on_duty: dutySinceMs !== undefined,
      duty_since: dutySinceMs === undefined ? null : toRfc3339(dutySinceMs),
      dnd_until: disturbed ? null : toRfc3339(dndUntilMs),
    };
  }
}
