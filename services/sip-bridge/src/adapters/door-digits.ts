/** Keys pressed in the call of a door station, from the media relays or by SIP INFO: the house's side opens with the set ones. */
import { readCall } from '../domain/call-fold.ts';
import { noDigits, pressDigit, wrongMax, type DigitState } from '../domain/digits.ts';
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

export class DoorDigits {
  readonly #deps: Deps;
  readonly #counted;
  /** By call, while it goes on. */
  readonly #states = new Map<string, DigitState>();

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
    const actor = opener.actorOf(number, station.door_id);
    if (!actor) return 'nobody';
    const { digit, via } = press;
    const before = this.#states.get(call.id) ?? noDigits;
    const pressed = { digit, via, atMs: ground.clock.monotonic() };
    const { state, verdict } = pressDigit(before, pressed, station.open_digit);
    this.#states.set(call.id, state);
    if (verdict === 'open')
      opener
        .open(call, actor, 'digit')
        .catch((error: unknown) => ground.log.warn('door_not_opened', { error, call: call.id }));
    if (verdict === 'shut') this.#tellShut(call, station.door_id, actor);
    return verdict;
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

  #tellShut(call: CallRow, doorId: string, actor: Actor): void {
    const { ground, openings } = this.#deps;
    const detail = `${wrongMax} wrong keys: no key opens in this call any more.`;
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
      detail: { call_id: call.id, wrong: wrongMax },
    });
  }
}
