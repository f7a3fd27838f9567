/**
 * What ffmpeg says of pictures that are none. It copies them all the same, so that this is the one sign that a stream which
 * comes, and says that it is good, is of no use to anybody. Pure.
 */

/** A lossy network breaks a picture now and then; this many in the window are of a stream that is not what it says. */
const linesMin = 20;
const windowMs = 10_000;

const pattern =
  /non-existing [PSV]PS|slice type \d+ too large|illegal (?:reordering|memory)|reference overflow|(?:pps|sps)_id \d+ out of range|[PSV]PS id out of range|no frame!|Invalid NAL unit|Overread|SPS unavailable/i;

export class BrokenWords {
  #times: number[] = [];
  #broken = false;

  line(text: string, nowMs: number): void {
    if (!pattern.test(text)) return;
    this.#times.push(nowMs);
    if (this.#times.length > linesMin) this.#times.shift();
  }

  /** @returns whether it is of no use now, once each time that this changes. */
  look(nowMs: number): boolean | undefined {
    const broken = this.isBroken(nowMs);
    if (broken === this.#broken) return undefined;
    this.#broken = broken;
    return broken;
  }

  isBroken(nowMs: number): boolean {
    const [first] = this.#times;
    return this.#times.length >= linesMin && first !== undefined && nowMs - first <= windowMs;
  }
}
