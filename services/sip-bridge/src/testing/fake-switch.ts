/** A Kamailio for tests of the bridge: it keeps what it is told, answers what a test says, and reports what a test makes up. */
import { AppError } from '@siphera/runtime';
import type { Switch } from '../ground.ts';
import { SwitchEvent } from '../domain/switch-event.ts';

type Params = readonly (string | number)[];

export class FakeSwitch implements Switch {
  readonly calls: { method: string; params: Params }[] = [];
  /** Answers by method; what is not here is answered with an empty object. A throw is the answer too. */
  readonly answers = new Map<string, (params: Params) => unknown>([
    ['ul.dump', () => ({ Domains: [] })],
    ['dispatcher.list', () => ({ RECORDS: [] })],
    ['uac.reg_dump', () => []],
    ['htable.dump', () => []],
  ]);
  /** It does not answer, as when it is stopped. */
  down = false;
  readonly #listeners: ((event: SwitchEvent, late: boolean) => void)[] = [];
  readonly #upListeners: (() => void)[] = [];
  #made = 0;

  rpc(method: string, params: Params = []): Promise<unknown> {
    if (this.down) return Promise.reject(new AppError('unavailable', 'The SIP server does not answer.'));
    this.calls.push({ method, params });
    return Promise.resolve().then(() => this.answers.get(method)?.(params) ?? {});
  }

  on(hear: (event: SwitchEvent, late: boolean) => void): void {
    this.#listeners.push(hear);
  }

  onUp(hear: () => void): void {
    this.#upListeners.push(hear);
  }

  /** It has restarted: what it kept in memory alone is gone. */
  comeBack(): void {
    for (const hear of this.#upListeners) hear();
  }

  /** The bridge that listened has stopped. */
  forgetListeners(): void {
    this.#listeners.length = 0;
    this.#upListeners.length = 0;
  }

  isUp(): boolean {
    return !this.down;
  }

  /** Reports something; `v` and `uid` are put in. */
  report(event: { kind: SwitchEvent['kind']; at_ms: number; [field: string]: unknown }, late = false): void {
    this.#made += 1;
    const whole = SwitchEvent.parse({ v: 1, uid: `fake-${this.#made}`, ...event });
    for (const hear of this.#listeners) hear(whole, late);
  }

  /** How often a method was called, with these parameters when given. */
  count(method: string, params?: Params): number {
    return this.calls.filter(
      (call) => call.method === method && (!params || JSON.stringify(params) === JSON.stringify(call.params)),
    ).length;
  }
}
