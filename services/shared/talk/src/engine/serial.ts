/** One thing at a time: what reads, decides and writes may not be interleaved with another that does. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs after all that were asked for before; a failure of one does not reach the next. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  /** Resolves when all that was asked for until now is done. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
