/** Something that is looked at now and then, and at once when there is reason to. One look at a time; a failing one is told once. */
import type { Logger } from '@siphera/runtime';

/** Reasons of one moment go together. */
const pokeMs = 250;

export class PlanTicker {
  readonly #name: string;
  readonly #everyMs: number;
  readonly #look: () => Promise<void>;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #again = false;
  #failed = false;
  #stopped = false;

  constructor(options: { name: string; everyMs: number; look: () => Promise<void>; log: Logger }) {
    this.#name = options.name;
    this.#everyMs = options.everyMs;
    this.#look = options.look;
    this.#log = options.log;
  }

  /** Looks soon. The first call starts it. */
  poke(): void {
    if (this.#looking) this.#again = true;
    else this.#in(pokeMs);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  #in(ms: number): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#looking = this.#once();
    }, ms);
  }

  async #once(): Promise<void> {
    this.#again = false;
    try {
      await this.#look();
      this.#failed = false;
    } catch (error) {
      if (!this.#failed) this.#log.warn('look_failed', { what: this.#name, error });
      this.#failed = true;
    }
    this.#looking = undefined;
    this.#in(this.#again ? pokeMs : this.#everyMs);
  }
}
