/**
 * A cohort is a lane for sockets that came in together at the same position: it is sent what they missed, then what came
 * since, and joins its view at the moment both have been sent the same, so that nothing is missing and nothing doubled.
 */
import type { FeedEntry } from '@siphera/contract';
import { Lane } from './lane.ts';

/** Entries held for a cohort while its backlog is read; beyond that its console reads its lists anew instead. */
const cohortEntriesMax = 50_000;
/** A console that is ahead of us (it read core's stream meanwhile) waits at most this long for us to get there. */
const aheadMsMax = 5_000;

export class Cohort extends Lane {
  readonly view: Lane;
  /** The consoles have everything up to here. */
  readonly after: number;
  /** Live entries are collected from here on; what lies between `after` and this is the backlog. */
  readonly liveFrom: number;
  readonly #createdAtMs: number;
  readonly #visible: ReadonlySet<string>;
  #complete: boolean;

  constructor(id: string, view: Lane, after: number, position: number, nowMs: number) {
    super(id, view.rooms, after);
    this.view = view;
    this.after = after;
    this.liveFrom = Math.max(after, position);
    this.#createdAtMs = nowMs;
    this.#visible = new Set(view.rooms);
    this.#complete = after >= position;
  }

  /** False while the backlog has not been read yet. */
  get complete(): boolean {
    return this.#complete;
  }

  /** An entry of the live feed that the view may see. */
  hear(entry: FeedEntry): void {
    if (entry.seq > this.liveFrom) this.push(entry);
  }

  wantsBacklog(seq: number, rooms: readonly string[]): boolean {
    return seq > this.after && seq <= this.liveFrom && rooms.some((room) => this.#visible.has(room));
  }

  fillBacklog(entries: readonly FeedEntry[]): void {
    this.prepend(entries);
    this.#complete = true;
  }

  /** Both have been sent everything up to the same position. */
  canMerge(position: number): boolean {
    return this.#complete && this.size === 0 && this.view.size === 0 && position >= this.after;
  }

  isLost(position: number, nowMs: number): boolean {
    if (this.size > cohortEntriesMax) return true;
    return position < this.after && nowMs - this.#createdAtMs > aheadMsMax;
  }
}
