/**
 * Which sequences may be sent now. What must stay true: at most `agentWindow` events are uncommitted, they follow each
 * other without a hole, and whatever was not committed is sent again after a reconnect or a silence.
 */
import { agentWindow } from '@siphera/contract';
import type { Clock } from '../domain/clock.ts';

/** Silence of the box before everything uncommitted is sent again; well above a slow commit. */
export const stallMs = 3_000;
/** A box that is silent for long is not helped by being shouted at. */
const stallMsMax = 30_000;

export class SendWindow {
  readonly #clock: Clock;
  #sent = 0;
  #progressAt: number;
  #silences = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#progressAt = clock.monotonic();
  }

  /** The newest sequence handed to the connection. */
  get sent(): number {
    return this.#sent;
  }

  /** The next run to send, or undefined when the window is full. */
  next(floor: number): { from: number; max: number } | undefined {
    const from = Math.max(floor, this.#sent + 1);
    const free = agentWindow - (from - floor);
    return free > 0 ? { from, max: free } : undefined;
  }

  /** `sequence` was handed to the connection. */
  onSent(sequence: number, floor: number): void {
    if (this.#sent < floor) this.#progressAt = this.#clock.monotonic();
    this.#sent = Math.max(this.#sent, sequence);
  }

  /** The box committed something new. */
  onProgress(): void {
    this.#progressAt = this.#clock.monotonic();
    this.#silences = 0;
  }

  /** Everything uncommitted is to be sent again: a new connection, a new stream. */
  restart(): void {
    this.#sent = 0;
    this.#silences = 0;
    this.#progressAt = this.#clock.monotonic();
  }

  /** True once for each silence that is long enough to send again. */
  isStalled(floor: number): boolean {
    const limit = Math.min(stallMsMax, stallMs * 2 ** Math.min(this.#silences, 8));
    if (this.#sent < floor || this.#clock.monotonic() - this.#progressAt < limit) return false;
    this.#silences += 1;
    this.#sent = 0;
    this.#progressAt = this.#clock.monotonic();
    return true;
  }
}
