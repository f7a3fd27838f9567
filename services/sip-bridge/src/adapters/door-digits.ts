/** Keys pressed in the call of a door station, from the media relays or by SIP INFO: the house's side opens with the set ones. */
import { readCall } from '../domain/call-fold.ts';
import {
  noDigits,
  pressDigit,
  recentWrongs,
  wrongMax,
  wrongOverallMax,
  type DigitState,
} from '../domain/digits.ts';
import { sideOf, type HeardDigit } from '../domain/door-call.ts';
import type { Ground } from '../ground.ts';
import type { PlanBook } from '../plan.part.ts';
import type { CallOpeningStore } from '../store/call-opening.store.ts';
import type { CallRow, CallStore } from '../store/call.store.ts';
import type { DoorOpener } from './door-opener.ts';

export type CallDigit = HeardDigit & { callId: string; digit: string };
type Deps = {
  ground: Pick<Ground, 'clock' | 'log' | 'outbox' | 'metrics'>;
  book: PlanBook;
  store: CallStore;
  openings: CallOpeningStore;
  opener: DoorOpener;
};
type Actor = NonNullable<ReturnType<DoorOpener['actorOf']>>;

/** Phones times stations that press wrong keys at once; the oldest is forgotten. */
const wrongsMax = 1_000;

export class DoorDigits {
  readonly #deps: Deps;
  readonly #counted;
  /** By call, while it goes on. */
  readonly #states = new Map<string, DigitState>();
  /** By station and who presses, over their calls: when wrong keys were pressed. */
  readonly #wrongs = new Map<string, number[]>();

  constructor(deps: Deps) {
    this.#deps = deps;
    this.#counted = deps.ground.metrics.counter('digits_total', 'Keys heard in calls, by what came of them', [
      'outcome',
    ]);
  }

  press(press: CallDigit): void {
    this.#counted.inc({ outcome: this.#judge(press) });
  }

  forget(callId: string): void {
    this.#states.delete(callId);
  }

  #judge(press: CallDigit): string {
    const { ground, store, book, opener } = this.#deps;
    const call = store.byCallId(press.callId);
    const station = call?.doorNumber ? book.extension(call.doorNumber) : undefined;
    if (!call || station?.kind !== 'door' || station.door_id === null || station.open_digit === null)
      return 'no_door';
    const number = this.#houseNumber(call, station.number, press);
    if (number === undefined) return 'not_ours';
    const actor = opener.actorOf(number, { rings: station.rings, door_id: station.door_id });
    if (!actor) return 'nobody';
    const who = `${station.number} ${number}`;
    const nowMs = ground.clock.monotonic();
    if (recentWrongs(this.#wrongs.get(who) ?? [], nowMs).length >= wrongOverallMax) return 'ignored';
    const { digit, via } = press;
    const before = this.#states.get(call.id) ?? noDigits;
    const { state, verdict } = pressDigit(before, { digit, via, atMs: nowMs }, station.open_digit);
    this.#states.set(call.id, state);
    if (verdict === 'open')
      opener
        .open(call, actor, 'digit')
        .catch((error: unknown) => ground.log.warn('door_not_opened', { error, call: call.id }));
    const isOver = state.wrong > before.wrong && this.#noteWrong(who, nowMs) >= wrongOverallMax;
    if (isOver)
      this.#tellShut(call, station.door_id, actor, {
        wrong: wrongOverallMax,
        what: ' of this phone within an hour: its keys open nothing at this station for a while.',
      });
    else if (verdict === 'shut')
      this.#tellShut(call, station.door_id, actor, {
        wrong: wrongMax,
        what: ': no key opens in this call any more.',
      });
    return isOver ? 'shut' : verdict;
  }

  /** @returns how many count now. */
  #noteWrong(who: string, nowMs: number): number {
    const wrongs = recentWrongs([...(this.#wrongs.get(who) ?? []), nowMs], nowMs);
    // Put in anew: the one that pressed last is forgotten last.
    this.#wrongs.delete(who);
    this.#wrongs.set(who, wrongs);
    const [oldest] = this.#wrongs.keys();
    if (this.#wrongs.size > wrongsMax && oldest !== undefined) this.#wrongs.delete(oldest);
    return wrongs.length;
  }

  /** The number of the house that pressed it; undefined for the door's side, for outside, and when that is not sure. */
  #houseNumber(call: CallRow, stationNumber: string, press: CallDigit): string | undefined {
    if (call.endedMs !== null || call.answeredMs === null || !call.steps) return undefined;
    const facts = readCall(call.steps);
    if (facts.direction !== 'internal') return undefined;
    const side = sideOf(facts, press);
    const stationSide = call.from.number === stationNumber ? 'caller' : 'callee';
    if (side === undefined || side === stationSide) return undefined;
    return side === 'callee' ? facts.by : facts.from;
  }

  #tellShut(call: CallRow, doorId: string, actor: Actor, why: { wrong: number; what: string }): void {
    const { ground, openings } = this.#deps;
    const detail = `${why.wrong} wrong keys${why.what}`;
    openings.add({
      call: call.id,
      atMs: ground.clock.now(),
      by: actor.name,
      how: 'digit',
      ok: false,
      detail,
      commandId: null,
    });
    ground.outbox.audit({
      actor: { kind: actor.kind, id: actor.id, name: actor.name },
      org_id: call.orgId,
      action: 'phone.door_keys_refused',
      target: `device:${doorId}`,
      detail: { call_id: call.id, wrong: why.wrong },
    });
  }
}
