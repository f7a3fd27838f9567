/**
 * Distributes core's feed to views. One view per distinct set of rooms, one frame per view and interval, whatever the
 * number of sockets in it. Pure: it is told the time, and says what to emit.
 * What must stay true: each member gets every entry its rooms may see, once, in the order of `seq`.
 */
import { heartbeatMs, type FeedLine, type SocketFrame } from '@siphera/contract';
import { Cohort } from './cohort.ts';
import { Lane, type Member } from './lane.ts';
import { roomsOfEntry, viewKey } from './rooms.ts';

/** Entries a view may wait with before the feed is asked to wait: half a second of draining. */
const viewEntriesMax = 5_000;
/** A console further back than this reads its lists anew: that is cheaper for both sides than the entries. */
export const backlogSeqMax = 20_000;

export type Tick = {
  frames: { lane: Lane; frame: SocketFrame }[];
  merged: { cohort: Cohort; members: Member[] }[];
  lost: Cohort[];
};

export class FanOut {
  readonly #views = new Map<string, Lane>();
  readonly #viewsOfRoom = new Map<string, Set<Lane>>();
  readonly #cohorts = new Map<Lane, Set<Cohort>>();
  #position: number;
  #lanesMade = 0;

  constructor(position: number) {
    this.#position = position;
  }

  /** Everything up to here has been handed to the lanes. */
  get position(): number {
    return this.#position;
  }

  get viewCount(): number {
    return this.#views.size;
  }

  /** True when the reader of the feed should wait for the next ticks. */
  get isFull(): boolean {
    return [...this.#views.values()].some((view) => view.size > viewEntriesMax);
  }

  /**
   * Lets a member in that has everything up to `after` (undefined: it wants what comes from now on).
   * @returns its cohort, to be given its backlog when it is not complete; undefined when it is too far back.
   */
  enter(
    member: Member,
    rooms: readonly string[],
    after: number | undefined,
    nowMs: number,
  ): Cohort | undefined {
    const from = after ?? this.#position;
    if (this.#position - from > backlogSeqMax) return undefined;
    const view = this.#viewOf(rooms);
    const cohort = this.#cohortOf(view, from, nowMs);
    cohort.join(member);
    return cohort;
  }

  leave(member: Member): void {
    const lane = member.lane;
    if (lane === undefined) return;
    lane.leave(member);
    if (lane instanceof Cohort) {
      if (lane.members.size === 0) this.#cohorts.get(lane.view)?.delete(lane);
      this.#dropIfUnused(lane.view);
    } else this.#dropIfUnused(lane);
  }

  /** Hands a line of the feed to the lanes. @returns false when the feed went back: all positions are void. */
  dispatch(line: FeedLine): boolean {
    if (line.upto < this.#position) {
      this.#position = line.upto;
      return false;
    }
    for (const entry of line.entries) {
      if (entry.seq <= this.#position) continue;
      const views = new Set<Lane>();
      for (const room of roomsOfEntry(entry))
        for (const view of this.#viewsOfRoom.get(room) ?? []) views.add(view);
      for (const view of views) {
        view.push(entry);
        for (const cohort of this.#cohorts.get(view) ?? []) cohort.hear(entry);
      }
    }
    this.#position = line.upto;
    return true;
  }

  /** One frame interval. `alive` says that core was heard lately: only then an empty frame may vouch for the feed. */
  tick(nowMs: number, at: string, alive: boolean): Tick {
    const silentMs = alive ? heartbeatMs : Infinity;
    const result: Tick = { frames: [], merged: [], lost: [] };
    const send = (lane: Lane): void => {
      const frame = lane.take(this.#position, nowMs, at, silentMs);
      if (frame !== undefined) result.frames.push({ lane, frame });
    };
    for (const view of this.#views.values()) {
      if (view.members.size === 0) view.skip(this.#position);
      else send(view);
      for (const cohort of this.#cohorts.get(view) ?? []) {
        if (cohort.isLost(this.#position, nowMs)) result.lost.push(cohort);
        else if (cohort.complete) {
          send(cohort);
          if (cohort.canMerge(this.#position)) result.merged.push({ cohort, members: this.#merge(cohort) });
        }
      }
    }
    return result;
  }

  #merge(cohort: Cohort): Member[] {
    const members = [...cohort.members];
    this.#cohorts.get(cohort.view)?.delete(cohort);
    for (const member of members) {
      cohort.leave(member);
      cohort.view.join(member);
    }
    return members;
  }

  #viewOf(rooms: readonly string[]): Lane {
    const key = viewKey(rooms);
    const known = this.#views.get(key);
    if (known) return known;
    const view = new Lane(this.#laneId('view'), rooms, this.#position);
    this.#views.set(key, view);
    this.#cohorts.set(view, new Set());
    for (const room of rooms) {
      const views = this.#viewsOfRoom.get(room) ?? new Set();
      this.#viewsOfRoom.set(room, views.add(view));
    }
    return view;
  }

  /** Sockets of one view that were cut at the same frame come back with the same position: they share a cohort. */
  #cohortOf(view: Lane, after: number, nowMs: number): Cohort {
    const cohorts = this.#cohorts.get(view) ?? new Set();
    for (const cohort of cohorts) {
      // One that was already sent something is no longer at its `after`.
      if (cohort.after === after && cohort.isUntouched) return cohort;
    }
    const cohort = new Cohort(this.#laneId('cohort'), view, after, this.#position, nowMs);
    this.#cohorts.set(view, cohorts.add(cohort));
    return cohort;
  }

  #dropIfUnused(view: Lane): void {
    if (view.members.size > 0 || (this.#cohorts.get(view)?.size ?? 0) > 0) return;
    this.#views.delete(viewKey(view.rooms));
    this.#cohorts.delete(view);
    for (const room of view.rooms) {
      const views = this.#viewsOfRoom.get(room);
      views?.delete(view);
      if (views?.size === 0) this.#viewsOfRoom.delete(room);
    }
  }

  #laneId(kind: string): string {
    this.#lanesMade += 1;
    return `${kind}:${this.#lanesMade}`;
  }
}
