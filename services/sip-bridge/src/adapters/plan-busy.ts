/** Which numbers are in a call now, from Kamailio's reports. For the phone book alone: nothing is allowed or refused by it. */
import type { Clock } from '@siphera/runtime';
import type { SwitchEvent } from '../domain/switch-event.ts';

/** A call whose end was never reported (Kamailio was killed) is forgotten after this: longer than shifts go on. */
const forgottenMs = 8 * 3_600_000;
/** More calls than a box carries at once; the oldest go first. */
const callsMax = 2_000;

export class PlanBusy {
  readonly #clock: Clock;
  readonly #calls = new Map<string, { numbers: Set<string>; atMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  hear(event: SwitchEvent, late: boolean): void {
    // What happened while nobody listened may be over.
    if (event.kind !== 'call' || late) return;
    if (event.state === 'ended' || event.state === 'failed' || event.state === 'refused') {
      this.#calls.delete(event.call);
      return;
    }
    const call = this.#calls.get(event.call) ?? { numbers: new Set<string>(), atMs: 0 };
    call.atMs = this.#clock.monotonic();
    // Whom a group rings is not busy until he takes it.
    for (const number of [event.from, event.by]) if (number !== undefined) call.numbers.add(number);
    this.#calls.delete(event.call);
    this.#calls.set(event.call, call);
    if (this.#calls.size > callsMax) this.#calls.delete(this.#calls.keys().next().value ?? '');
  }

  numbers(): Set<string> {
    const since = this.#clock.monotonic() - forgottenMs;
    for (const [id, { atMs }] of this.#calls) if (atMs < since) this.#calls.delete(id);
    return new Set([...this.#calls.values()].flatMap(({ numbers }) => [...numbers]));
  }

  count(): number {
    return this.#calls.size;
  }
}
