/**
 * One viewer of a live picture over HTTP: fragmented MP4 without end. What must stay true: a slow viewer costs at most the
 * bytes of its queue, the relay never waits for it, and however it ends, it ends once and lets go of the stream.
 */
import type { Clock, Logger } from '@siphera/runtime';
import type { Writable } from 'node:stream';
import { noticeBox, type EndCode } from '../../domain/live-boxes.ts';
import { LiveTimeline } from '../../domain/live-timeline.ts';
import type { Fragment, InitSegment, StreamListener } from '../../domain/media.ts';
import { ViewerQueue, type QueueItem } from '../../domain/viewer-queue.ts';

export const viewLimits = {
  /** Eight seconds of a 4 Mbit/s camera, and always a whole fragment. */
  bytesMax: 4 * 1024 * 1024,
  dropsMax: 4,
  /** A connection that takes nothing at all for this long is dead. */
  stallMs: 15_000,
  /** The last words wait for a slow viewer no longer than this. */
  endMs: 1_000,
};

export type LiveViewOptions = {
  output: Writable;
  transcoded: boolean;
  clock: Clock;
  log: Logger;
  limits?: Partial<typeof viewLimits>;
  /** The view is over; called once. */
  onEnd(why: { code: EndCode | 'closed'; reason: string }): void;
};

export class LiveView implements StreamListener {
  readonly #options: LiveViewOptions;
  readonly #limits: typeof viewLimits;
  readonly #queue: ViewerQueue;
  readonly #timeline = new LiveTimeline();
  #blocked = false;
  #stall: NodeJS.Timeout | undefined;
  #over = false;

  constructor(options: LiveViewOptions) {
    this.#options = options;
    this.#limits = { ...viewLimits, ...options.limits };
    this.#queue = new ViewerQueue(this.#limits);
    const { output } = options;
    output.on('drain', () => this.#goOn());
    output.once('close', () => this.#finish('closed', 'The viewer closed the connection.'));
    // The close that follows says that it is over; a reset connection is nothing to tell.
    output.on('error', () => output.destroy());
  }

  init(init: InitSegment): void {
    this.#queue.init(init);
    this.#pump();
  }

  fragment(fragment: Fragment): void {
    if (this.#over) return;
    if (this.#queue.fragment(fragment) === 'given_up') {
      this.end('slow', 'The connection is slower than the picture.');
      return;
    }
    this.#pump();
  }

  lost(reason: string): void {
    this.#queue.notice({ kind: 'lost', reason });
    this.#pump();
  }

  /** Says why, and closes. */
  end(code: EndCode, reason: string): void {
    if (!this.#finish(code, reason)) return;
    const { output } = this.#options;
    output.end(noticeBox({ kind: 'end', code, reason }));
    const timer = setTimeout(() => output.destroy(), this.#limits.endMs);
    output.once('close', () => clearTimeout(timer));
  }

  #pump(): void {
    const { output } = this.#options;
    while (!this.#over && !this.#blocked) {
      const item = this.#queue.take();
      if (!item) return;
      const parts = this.#bytesOf(item);
      if (parts.length === 0) continue;
      output.cork();
      let more = true;
      for (const part of parts) more = output.write(part);
      output.uncork();
      if (!more) this.#block();
    }
  }

  #bytesOf(item: QueueItem): Buffer[] {
    switch (item.kind) {
      case 'init':
        this.#timeline.begin(item.init);
        return [
          noticeBox({ kind: 'init', mime: item.init.mime, transcoded: this.#options.transcoded }),
          item.init.bytes,
        ];
      case 'notice':
        if (item.notice.kind === 'skipped') this.#timeline.skip();
        return [noticeBox(item.notice)];
      case 'fragment':
        return this.#timeline.place(item.fragment);
    }
  }

  #block(): void {
    this.#blocked = true;
    this.#stall = setTimeout(
      () => this.end('slow', 'The connection takes nothing any more.'),
      this.#limits.stallMs,
    );
  }

  #goOn(): void {
    clearTimeout(this.#stall);
    this.#blocked = false;
    this.#pump();
  }

  #finish(code: EndCode | 'closed', reason: string): boolean {
    if (this.#over) return false;
    this.#over = true;
    clearTimeout(this.#stall);
    this.#options.onEnd({ code, reason });
    return true;
  }
}
