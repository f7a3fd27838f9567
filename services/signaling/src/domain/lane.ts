/**
 * A lane is what a group of sockets still has to be sent: entries in the order of the feed, cut into frames.
 * What must stay true: `sentUpto` never goes back, and every entry the lane may see with a seq up to it was in a frame.
 */
import { frameIntervalMs, type FeedEntry, type SocketFrame } from '@siphera/contract';

/** Entries of one frame. Keeps a frame's serialisation short; at 20 frames a second a lane still drains 10,000 entries a second. */
export const frameEntriesMax = 500;

export class Lane {
  readonly id: string;
  readonly rooms: readonly string[];
  readonly members = new Set<Member>();
  #pending: FeedEntry[] = [];
  #sentUpto: number;
  #sentAtMs = -Infinity;

  constructor(id: string, rooms: readonly string[], sentUpto: number) {
    this.id = id;
    this.rooms = rooms;
    this.#sentUpto = sentUpto;
  }

  /** Position its members have been sent up to. */
  get sentUpto(): number {
    return this.#sentUpto;
  }

  /** Nothing was sent yet. */
  get isUntouched(): boolean {
    return this.#sentAtMs === -Infinity;
  }

  get size(): number {
    return this.#pending.length;
  }

  push(entry: FeedEntry): void {
    this.#pending.push(entry);
  }

  /** Puts what was missed before what came since. */
  prepend(entries: readonly FeedEntry[]): void {
    this.#pending = [...entries, ...this.#pending];
  }

  join(member: Member): void {
    this.members.add(member);
    member.lane = this;
  }

  leave(member: Member): void {
    this.members.delete(member);
    member.lane = undefined;
  }

  /** Nobody listens: what is pending was for nobody. */
  skip(position: number): void {
    this.#pending = [];
    this.#sentUpto = Math.max(this.#sentUpto, position);
  }

  /** The next frame when there is something to send, or when the lane was silent for `silentMs`. */
  take(position: number, nowMs: number, at: string, silentMs: number): SocketFrame | undefined {
    // Half an interval early counts: timers are never exact, and the consoles count on this beat.
    if (this.#pending.length === 0 && nowMs - this.#sentAtMs < silentMs - frameIntervalMs / 2)
      return undefined;
    const entries = this.#pending.splice(0, frameEntriesMax);
    const reached = this.#pending.length === 0 ? position : (entries.at(-1)?.seq ?? position);
    this.#sentUpto = Math.max(this.#sentUpto, reached);
    this.#sentAtMs = nowMs;
    return { entries, upto: this.#sentUpto, at };
  }
}

/** A socket as the fan-out sees it. */
export type Member = { readonly id: string; lane: Lane | undefined };
