/**
 * Wall time of fragments: the box's clock when one arrived, less its length, smoothed. Networks only ever add delay, so the
 * offset between the camera's ticks and our clock follows the least delay seen lately, and no faster than a camera's
 * crystal drifts: a late fragment moves nothing. What must stay true: time never goes back inside one connection.
 */

/** How fast the offset follows, in ms a second: far more than crystals drift (0.1), far less than a viewer sees. */
export const slewMsPerSecond = 5;
/** Delays of this long back are looked at; longer than a usual stall of a wireless link. */
const windowMs = 30_000;
/** The clock was set, or the camera's ticks jumped, when the least delay of this time is this far off. */
const jumpMs = 2_000;
const jumpSustainedMs = 5_000;
/** Longest time between two fragments that counts for following. */
const elapsedMsMax = 1_000;

type Sample = { atMs: number; offsetMs: number };

export class WallTime {
  #offsetMs: number | undefined;
  #window: Sample[] = [];
  #lastMs = 0;
  #lastStartMs = Number.NEGATIVE_INFINITY;
  #farSinceMs: number | undefined;

  /** Takes the fragments that came at once at the beginning; the least delayed of them sets the offset. */
  begin(burst: readonly { arrivedMs: number; mediaStartMs: number; durationMs: number }[]): void {
    for (const { arrivedMs, mediaStartMs, durationMs } of burst) {
      const offsetMs = arrivedMs - durationMs - mediaStartMs;
      this.#offsetMs = Math.min(this.#offsetMs ?? offsetMs, offsetMs);
      this.#lastMs = arrivedMs;
    }
    if (this.#offsetMs !== undefined) this.#window.push({ atMs: this.#lastMs, offsetMs: this.#offsetMs });
  }

  /**
   * Wall time of a fragment's first picture. Undefined when our clock or the camera's ticks jumped: the connection's time
   * is of no use any more, and a new one has to begin.
   */
  at(fragment: { arrivedMs: number; mediaStartMs: number; durationMs: number }): number | undefined {
    const offsetMs = fragment.arrivedMs - fragment.durationMs - fragment.mediaStartMs;
    if (this.#offsetMs === undefined) this.begin([fragment]);
    if (this.#jumped(fragment.arrivedMs, offsetMs)) return undefined;
    this.#follow(fragment.arrivedMs, offsetMs);
    const startMs = Math.round(fragment.mediaStartMs + (this.#offsetMs ?? offsetMs));
    this.#lastStartMs = Math.max(startMs, this.#lastStartMs);
    return this.#lastStartMs;
  }

  #follow(atMs: number, offsetMs: number): void {
    this.#window = this.#window.filter(
      (sample) => sample.atMs > atMs - windowMs && sample.offsetMs < offsetMs,
    );
    this.#window.push({ atMs, offsetMs });
    const least = this.#window[0]?.offsetMs ?? offsetMs;
    const now = this.#offsetMs ?? least;
    // A clock that was set has not let that time pass.
    const elapsedMs = Math.min(elapsedMsMax, Math.max(0, atMs - this.#lastMs));
    const step = (elapsedMs / 1_000) * slewMsPerSecond;
    this.#lastMs = Math.max(atMs, this.#lastMs);
    this.#offsetMs = now + Math.max(-step, Math.min(step, least - now));
  }

  /** Earlier than possible is a jump at once; later than usual only when it stays so. */
  #jumped(atMs: number, offsetMs: number): boolean {
    const offMs = offsetMs - (this.#offsetMs ?? offsetMs);
    if (offMs < -jumpMs) return true;
    if (offMs <= jumpMs) {
      this.#farSinceMs = undefined;
      return false;
    }
    this.#farSinceMs ??= atMs;
    return atMs - this.#farSinceMs > jumpSustainedMs;
  }
}
