/**
 * Holds the HTTP stream of a live picture open: reads, cuts into pieces, and opens it again by itself when it ends, falls silent
 * or fails, at a bounded pace. An answer that will not change (forbidden, gone) ends it.
 */
import { BoxReader, type Mp4Piece, type Notice } from '#features/cameras/player/mp4-boxes.ts';

export type PumpEvents = {
  opened: (info: { transcoded: boolean }) => void;
  piece: (piece: Mp4Piece) => void;
  notice: (notice: Notice) => void;
  /** It failed and is tried again, unless `final`. */
  trouble: (thrown: unknown, final: boolean) => void;
};
export type OpenStream = (signal: AbortSignal) => Promise<Response>;

/** The box sends a fragment each half second, or says that the camera is lost; a network silent for this long is gone. */
const silenceMs = 8_000;
const pausesMs = [300, 1_000, 2_000, 4_000, 8_000] as const;

export class LivePump {
  readonly #open: OpenStream;
  readonly #events: PumpEvents;
  #abort: AbortController | undefined;

  constructor(open: OpenStream, events: PumpEvents) {
    this.#open = open;
    this.#events = events;
  }

  get running(): boolean {
    return this.#abort !== undefined;
  }

  start(): void {
    this.stop();
    const abort = new AbortController();
    this.#abort = abort;
    void this.#run(abort.signal);
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = undefined;
  }

  async #run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const heard = await this.#once(signal).catch((thrown: unknown) => {
        if (signal.aborted) return false;
        const final = isFinal(thrown);
        this.#events.trouble(thrown, final);
        if (final) this.stop();
        return false;
      });
      failures = heard ? 0 : failures + 1;
      await pause(pausesMs[Math.min(failures, pausesMs.length - 1)] ?? 0, signal);
    }
  }

  /** One connection, until it ends. True when footage came by it. */
  async #once(signal: AbortSignal): Promise<boolean> {
    const silence = new AbortController();
    const both = AbortSignal.any([signal, silence.signal]);
    let timer = setTimeout(() => silence.abort(), silenceMs);
    let heard = false;
    try {
      const response = await this.#open(both);
      const { body } = response;
      if (!body) throw new Error('The stream is empty');
      this.#events.opened({ transcoded: response.headers.get('x-siphera-transcoded') === '1' });
      const reader = new BoxReader();
      for await (const chunk of chunksOf(body)) {
        if (both.aborted) break;
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), silenceMs);
        for (const piece of reader.push(chunk)) {
          heard ||= piece.kind === 'media';
          if (piece.kind === 'notice') this.#events.notice(piece.notice);
          else this.#events.piece(piece);
        }
      }
    } catch (thrown) {
      // A stream that breaks after it carried footage is opened again at once, without a word.
      if (!heard && !silence.signal.aborted) throw thrown;
      if (!heard) throw new Error('No picture came', { cause: thrown });
    } finally {
      clearTimeout(timer);
    }
    return heard;
  }
}

async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // The connection may be broken already; ending it once more is all that is wanted.
    await reader.cancel().catch(() => undefined);
  }
}

const finalStatuses = new Set([403, 404, 410]);
function isFinal(thrown: unknown): boolean {
  const status = (thrown as { problem?: { status?: unknown } } | undefined)?.problem?.status;
  return typeof status === 'number' && finalStatuses.has(status);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
