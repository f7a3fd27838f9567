/** Time that passes when a test says so. */
type Due = { at: number; run: () => void };

export class FakeClock {
  #due: Due[] = [];
  #now: number;

  constructor(now = 1_000_000) {
    this.#now = now;
  }

  readonly now = (): number => this.#now;
  readonly after = (ms: number, run: () => void): (() => void) => {
    const due = { at: this.#now + ms, run };
    this.#due.push(due);
    return () => {
      this.#due = this.#due.filter((one) => one !== due);
    };
  };

  /** Runs what falls due within so many milliseconds, and lets promises settle between. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      await settled();
      const next = this.#due.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#now = Math.max(this.#now, next.at);
      this.#due = this.#due.filter((one) => one !== next);
      next.run();
    }
    this.#now = until;
    await settled();
  }
}

/** Lets what was promised happen. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 12; turn += 1) await Promise.resolve();
}
