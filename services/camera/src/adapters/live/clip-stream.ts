/** A clip as one MP4 that plays while it loads: kept footage from a to b, joined where the stream is the same. */
import { runsOf, tracksOf } from '../../domain/fragmented-mp4.ts';
import { BoxCutter, type Box } from '../../domain/iso-boxes.ts';
import type { FootageRun, KeptFootage } from '../../domain/kept-footage.ts';
import { LiveTimeline } from '../../domain/live-timeline.ts';

/**
 * The bytes of a clip. A run whose start differs from the first one's (the camera was set anew in between) ends it: one file
 * has one start.
 */
export async function* clipBytes(footage: KeptFootage, runs: readonly FootageRun[]): AsyncGenerator<Buffer> {
  const joiner = new Joiner();
  for (const run of runs) {
    for await (const chunk of footage.read(run)) {
      yield* joiner.push(chunk);
      if (joiner.ended) return;
    }
    joiner.nextRun();
  }
}

class Joiner {
  ended = false;
  readonly #timeline = new LiveTimeline();
  readonly #cutter = new BoxCutter((box) => this.#take(box));
  #out: Buffer[] = [];
  #head: Buffer[] = [];
  #init: Buffer | undefined;
  #moof: Buffer | undefined;

  push(chunk: Buffer): Buffer[] {
    this.#cutter.push(chunk);
    return this.#out.splice(0);
  }

  nextRun(): void {
    this.#head = [];
    this.#timeline.skip();
  }

  #take({ type, bytes }: Box): void {
    if (this.ended) return;
    switch (type) {
      case 'ftyp':
        this.#head = [bytes];
        break;
      case 'moov':
        this.#begin(Buffer.concat([...this.#head, bytes]));
        break;
      case 'moof':
        this.#moof = bytes;
        break;
      case 'mdat':
        if (this.#moof) this.#fragment(Buffer.concat([this.#moof, bytes]));
        this.#moof = undefined;
        break;
      default:
        // Nothing else is needed to play it.
        break;
    }
  }

  #begin(init: Buffer): void {
    if (this.#init) {
      this.ended = !this.#init.equals(init);
      return;
    }
    this.#init = init;
    this.#timeline.begin({ bytes: init, mime: '', video: 'other', width: 0, height: 0, timescale: 1 });
    this.#out.push(init);
  }

  #fragment(bytes: Buffer): void {
    if (!this.#init) return;
    const run = runsOf(bytes, tracksOf(this.#init)).find(({ track }) => track.kind === 'video');
    if (!run) return;
    const durationMs = (run.duration * 1_000) / run.track.timescale;
    // Without the wall time in front: a file is played by many programs.
    this.#out.push(
      ...this.#timeline
        .place({ bytes, key: false, startMs: 0, durationMs, decodeTime: run.decodeTime })
        .slice(1),
    );
  }
}
