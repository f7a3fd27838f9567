/** Rooms that have to be read anew because what came in them is not explained: again until it is, but not for ever. */
import { wordsOf } from './failures.ts';
import type { Ground } from './ground.ts';
import type { WaitRecord } from './rooms.ts';

/** When a room is read anew, after the time before. What nothing explains for a day, a restart tries once more. */
const againMs = [0, 30_000, 60_000, 600_000, 3_600_000, 6 * 3_600_000, 12 * 3_600_000] as const;
/** Looks for such rooms, which reads all that waits. */
const lookMs = 20_000;

export class Rereads {
  readonly #ground: Ground;
  readonly #reread: (roomId: string) => Promise<void>;
  readonly #tried = new Map<string, { tries: number; nextAt: number }>();
  #lookedAt = -Infinity;

  constructor(ground: Ground, reread: (roomId: string) => Promise<void>) {
    this.#ground = ground;
    this.#reread = reread;
  }

  async due(): Promise<void> {
    const { place } = this.#ground;
    const now = place.now();
    if (now - this.#lookedAt < lookMs && now >= this.#lookedAt) return;
    this.#lookedAt = now;
    const waiting = await this.#waiting();
    for (const roomId of this.#tried.keys()) if (!waiting.has(roomId)) this.#tried.delete(roomId);
    for (const roomId of waiting) {
      const { tries, nextAt } = this.#tried.get(roomId) ?? { tries: 0, nextAt: 0 };
      if (tries >= againMs.length || nextAt > now) continue;
      this.#tried.set(roomId, { tries: tries + 1, nextAt: now + (againMs[tries + 1] ?? 0) });
      await this.#reread(roomId).catch((error: unknown) =>
        place.log('info', 'talk_room_later', { room: roomId, error: wordsOf(error) }),
      );
    }
  }

  /** Somebody has looked at keys that had changed: what they signed may count now. */
  async unproven(): Promise<void> {
    for (const { room } of [...this.#ground.conversations.values()])
      if (room?.firm && room.firm.n < room.chain.n)
        await this.#reread(room.roomId).catch((error: unknown) =>
          this.#ground.place.log('info', 'talk_room_later', { room: room.roomId, error: wordsOf(error) }),
        );
  }

  async #waiting(): Promise<Set<string>> {
    const rows = await this.#ground.store.range<WaitRecord>('seen', 'wait|', 'wait}');
    const rooms = [...this.#ground.conversations.values()].flatMap(({ room }) =>
      room?.stale === true ? [room.roomId] : [],
    );
    return new Set([
      ...rooms,
      ...rows.filter((row) => row.value.session === 'room').map((row) => row.value.room),
    ]);
  }
}
