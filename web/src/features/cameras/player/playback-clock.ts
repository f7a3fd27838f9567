/**
 * The one clock that several cameras follow in playback. Pure but for the time that is handed in. What must stay true: it goes
 * on only while it plays and nobody waits for footage; its position never jumps by a change of speed.
 */
export class PlaybackClock {
  readonly #now: () => number;
  #position: number;
  #since: number;
  #rate = 1;
  #playing = false;
  #waiting = new Set<string>();

  constructor(now: () => number, position: number) {
    this.#now = now;
    this.#position = position;
    this.#since = now();
  }

  /** Milliseconds of the wall that are shown now. */
  get position(): number {
    return this.#runs ? this.#position + (this.#now() - this.#since) * this.#rate : this.#position;
  }
  get rate(): number {
    return this.#rate;
  }
  get playing(): boolean {
    return this.#playing;
  }
  get waiting(): boolean {
    return this.#waiting.size > 0;
  }
  get #runs(): boolean {
    return this.#playing && this.#waiting.size === 0;
  }

  seek(position: number): void {
    this.#position = position;
    this.#since = this.#now();
  }
  setRate(rate: number): void {
    this.#hold();
    this.#rate = rate;
  }
  play(on: boolean): void {
    this.#hold();
    this.#playing = on;
  }
  /** A camera that has no picture for the position yet holds the clock, so that all stay together. */
  wait(camera: string, on: boolean): void {
    if (this.#waiting.has(camera) === on) return;
    this.#hold();
    if (on) this.#waiting.add(camera);
    else this.#waiting.delete(camera);
  }

  #hold(): void {
    this.#position = this.position;
    this.#since = this.#now();
  }
}
