/**
 * Hands the feed to those who follow it: services over the internal API, consoles over SSE. Followers share what was
 * read last; one that is further behind reads from the database by itself.
 */
import type { FeedEntry, FeedLine } from '@siphera/contract';
import { toRfc3339, type Clock } from '@siphera/runtime';
import { lineBytesMax, type FeedReader } from './feed-reader.ts';

/** Followers learn that they are alive, and that core is. */
const feedHeartbeatMs = 1_000;
const entriesPerRead = 500;
/** Entries kept in memory for followers that are nearly live. */
const ringMax = 4_000;
const ringBytesMax = 32 * 1024 * 1024;

export type Follower = {
  after: number;
  /** False while its socket cannot take more; it is woken again by `wake`. */
  ready(): boolean;
  send(line: FeedLine): void;
  /** Its position is no longer kept. */
  gone(): void;
};

export class FeedHub {
  readonly #reader: FeedReader;
  readonly #clock: Clock;
  readonly #followers = new Set<Follower>();
  readonly #beat: NodeJS.Timeout;
  #ring: FeedEntry[] = [];
  #ringBytes = 0;
  #ringFrom: number;
  #ringUpto: number;
  #scheduled = false;
  #closed = false;

  constructor(reader: FeedReader, clock: Clock) {
    this.#reader = reader;
    this.#clock = clock;
    this.#ringUpto = reader.position();
    this.#ringFrom = this.#ringUpto;
    this.#beat = setInterval(() => this.#heartbeat(), feedHeartbeatMs);
  }

  position(): number {
    return this.#reader.position();
  }

  /** True when entries after `after` are no longer all kept. */
  isGone(after: number): boolean {
    return after < this.#reader.floor();
  }

  add(follower: Follower): () => void {
    this.#followers.add(follower);
    this.wake();
    return () => this.#followers.delete(follower);
  }

  count(): number {
    return this.#followers.size;
  }

  /** Something was committed, or a follower can take more. Several calls in one turn are one reading. */
  wake(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      // Closed in between: the database it reads may be closed too.
      if (!this.#closed) this.#pump();
    });
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#beat);
    this.#followers.clear();
  }

  #pump(): void {
    if (this.#followers.size === 0) {
      this.#ring = [];
      this.#ringBytes = 0;
      this.#ringUpto = this.#reader.position();
      this.#ringFrom = this.#ringUpto;
      return;
    }
    const more = this.#extendRing();
    let behind = more;
    for (const follower of this.#followers) if (this.#serve(follower)) behind = true;
    if (behind) this.wake();
  }

  #extendRing(): boolean {
    const line = this.#reader.read(this.#ringUpto, entriesPerRead, this.#clock.now());
    this.#ring.push(...line.entries);
    this.#ringUpto = line.upto;
    for (const entry of line.entries) this.#ringBytes += this.#reader.bytesOf(entry);
    let drop = Math.max(0, this.#ring.length - ringMax);
    for (const entry of this.#ring.slice(0, drop)) this.#ringBytes -= this.#reader.bytesOf(entry);
    while (this.#ringBytes > ringBytesMax && drop < this.#ring.length)
      this.#ringBytes -= this.#reader.bytesOf(this.#ring[drop++] as FeedEntry);
    if (drop > 0) {
      const dropped = this.#ring.splice(0, drop);
      this.#ringFrom = dropped.at(-1)?.seq ?? this.#ringFrom;
    }
    return line.upto < this.#reader.position();
  }

  /** @returns true when the follower is still behind and can take more. */
  #serve(follower: Follower): boolean {
    if (!follower.ready() || follower.after >= this.#ringUpto) return false;
    if (follower.after < this.#reader.floor()) {
      this.#followers.delete(follower);
      follower.gone();
      return false;
    }
    const line =
      follower.after >= this.#ringFrom
        ? this.#fromRing(follower.after)
        : this.#reader.read(follower.after, entriesPerRead, this.#clock.now());
    follower.after = line.upto;
    follower.send(line);
    return follower.after < this.#ringUpto;
  }

  #fromRing(after: number): FeedLine {
    const start = this.#ring.findIndex((entry) => entry.seq > after);
    const entries: FeedEntry[] = [];
    for (let n = start, bytes = 0; start >= 0 && n < this.#ring.length; n++) {
      const entry = this.#ring[n] as FeedEntry;
      if (entries.length === entriesPerRead || bytes >= lineBytesMax) break;
      entries.push(entry);
      bytes += this.#reader.bytesOf(entry);
    }
    const cut = start >= 0 && start + entries.length < this.#ring.length;
    return {
      entries,
      upto: cut ? (entries.at(-1)?.seq ?? this.#ringUpto) : this.#ringUpto,
      at: toRfc3339(this.#clock.now()),
    };
  }

  #heartbeat(): void {
    const at = toRfc3339(this.#clock.now());
    for (const follower of this.#followers) {
      if (follower.ready() && follower.after >= this.#ringUpto)
        follower.send({ entries: [], upto: follower.after, at });
    }
    this.wake();
  }
}
