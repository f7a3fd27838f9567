/** A clip as one MP4 that plays while it loads: kept footage from a to b, joined where the stream is the same. */
import type { FootageRun, KeptFootage } from '../../domain/kept-footage.ts';
import { LiveTimeline } from '../../domain/live-timeline.ts';
import { Mp4Splitter } from '../../domain/mp4-splitter.ts';

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
  readonly #splitter = new Mp4Splitter();
  #init: Buffer | undefined;

  push(chunk: Buffer): Buffer[] {
    return this.#splitter.push(chunk).flatMap((piece) => {
      if (this.ended) return [];
      return piece.kind === 'init' ? this.#begin(piece.bytes) : this.#fragment(piece.bytes);
    });
  }

  nextRun(): void {
    this.#timeline.skip();
  }

  #begin(init: Buffer): Buffer[] {
    if (this.#init) {
      this.ended = !this.#init.equals(init);
      return [];
    }
    this.#init = init;
    this.#timeline.begin({ bytes: init, mime: '', video: 'other', width: 0, height: 0, timescale: 1 });
    return [init];
  }

  #fragment(bytes: Buffer): Buffer[] {
    if (!this.#init) return [];
    // Without the wall time in front: a file is played by many programs.
    return this.#timeline.place({ bytes, key: false, startMs: 0, durationMs: 0, decodeTime: 0 }).slice(1);
  }
}
