/** Takes away what has had its time, in slices, so that nobody waits for it. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '@siphera/runtime';
import type { Part } from '../../ground.ts';

/** A part that forgets by itself every minute; `sweep` does it now. */
export type SweptPart = Part & { sweep(): Promise<void> };

const everyMs = 60_000;
/** In a row. What is left waits for the next round: expired rows may stay a minute longer. */
const slicesMax = 200;

export class Sweeper {
  readonly #name: string;
  readonly #log: Logger;
  readonly #slice: () => boolean | Promise<boolean>;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #stopped = false;

  /** @param slice takes some away; true: there is more. */
  constructor(options: { name: string; log: Logger; slice: () => boolean | Promise<boolean> }) {
    this.#name = options.name;
    this.#log = options.log;
    this.#slice = options.slice;
  }

  start(): void {
    this.#timer = setInterval(() => void this.sweep(), everyMs);
    void this.sweep();
  }

  /** One round; the one that is under way, when there is one. */
  sweep(): Promise<void> {
    this.#round ??= this.#run().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#round;
  }

  async #run(): Promise<void> {
    try {
      for (let slices = 0; slices < slicesMax && !this.#stopped; slices += 1) {
        if (!(await this.#slice())) return;
        await nextTurn();
      }
    } catch (error) {
      this.#log.error('sweep_failed', { what: this.#name, error });
    }
  }
}
