/** Sends what the queue holds, and lets the queue forget what the box committed. */
import { AgentAck } from '@siphera/contract';
import type { Clock } from '../domain/clock.ts';
import type { QueueRecord } from '../domain/record.ts';
import { errorFields, type Log } from '../log.ts';
import type { DiskQueue } from '../queue/disk-queue.ts';
import type { Link } from './link.ts';
import { SendWindow } from './send-window.ts';

/** How often a silence is looked for. */
const tickMs = 500;
/** A box that acknowledges what we never had may do so again: one new stream a minute is enough to be heard. */
const restreamMsMin = 60_000;

export type UplinkCounts = {
  sent: number;
  resent: number;
  refused: number;
  staleAcks: number;
  wrongAcks: number;
};

export class Uplink {
  readonly #queue: DiskQueue;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #window: SendWindow;
  readonly #timer: NodeJS.Timeout;
  readonly counts: UplinkCounts = { sent: 0, resent: 0, refused: 0, staleAcks: 0, wrongAcks: 0 };
  #link: Link | undefined;
  #pumping = false;
  #again = false;
  #highest = 0;
  /** Publishes the broker has not answered. While there are any the line is slow, not silent. */
  #unanswered = 0;
  #restreamedAt = Number.NEGATIVE_INFINITY;

  constructor(options: { queue: DiskQueue; clock: Clock; log: Log }) {
    this.#queue = options.queue;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#window = new SendWindow(options.clock);
    this.#timer = setInterval(() => this.#tick(), tickMs);
    this.#timer.unref();
  }

  /** A new connection: everything uncommitted goes again. */
  attach(link: Link): void {
    this.#link = link;
    this.#unanswered = 0;
    this.#window.restart();
    this.pump();
  }

  detach(): void {
    this.#link = undefined;
  }

  /** The queue began a new stream. */
  onStream(): void {
    this.#highest = 0;
    this.#window.restart();
    this.pump();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#link = undefined;
  }

  /** Looks whether something can be sent. Cheap; call it after each append. */
  pump(): void {
    this.#again = true;
    if (this.#pumping) return;
    this.#pumping = true;
    void this.#pumpAll();
  }

  onAck(payload: Buffer): void {
    const ack = parseAck(payload);
    if (!ack || ack.stream !== this.#queue.stream) {
      this.counts.staleAcks += 1;
      this.#log.warn('ack.ignored', { stream: ack?.stream ?? 'unreadable', own_stream: this.#queue.stream });
      return;
    }
    if (ack.committed > this.#queue.last) {
      this.#onImpossibleAck(ack);
      return;
    }
    if (ack.committed <= this.#queue.committed) return;
    this.#queue.commit(ack.committed);
    this.#window.onProgress();
    this.pump();
  }

  /**
   * The box has more of this stream than we ever wrote: our disk was put back to an older state. It would take the next
   * events for ones it knows, so they must go under another stream.
   */
  #onImpossibleAck(ack: AgentAck): void {
    this.counts.wrongAcks += 1;
    this.#log.error('ack.impossible', { committed: ack.committed, last: this.#queue.last });
    const now = this.#clock.monotonic();
    if (now - this.#restreamedAt < restreamMsMin) return;
    this.#restreamedAt = now;
    this.#queue.restream('the box acknowledged events this queue never had').catch((error: unknown) => {
      this.#log.error('queue.restream_failed', errorFields(error));
    });
  }

  async #pumpAll(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false;
        while (await this.#sendSome());
      }
    } catch (error) {
      this.#log.error('queue.read_failed', errorFields(error));
    } finally {
      this.#pumping = false;
    }
  }

  async #sendSome(): Promise<boolean> {
    const { stream, floor } = this.#queue;
    const want = this.#link && this.#window.next(floor);
    if (!want || want.from > this.#queue.last) return false;
    const records = await this.#queue.read(want.from, want.max);
    // While reading, the link may have gone, the stream or the floor may have moved: look again with fresh eyes.
    if (!this.#link) return false;
    if (stream !== this.#queue.stream || this.#window.next(this.#queue.floor)?.from !== want.from)
      return true;
    for (const record of records) this.#send(this.#link, record);
    return records.length > 0;
  }

  #send(link: Link, record: QueueRecord): void {
    const { stream, floor } = this.#queue;
    const event = JSON.parse(record.payload.toString('utf8')) as Record<string, unknown>;
    this.#window.onSent(record.sequence, floor);
    this.counts[record.sequence <= this.#highest ? 'resent' : 'sent'] += 1;
    this.#highest = Math.max(this.#highest, record.sequence);
    this.#unanswered += 1;
    const answered = (): void => {
      if (link === this.#link) this.#unanswered -= 1;
    };
    link
      .publish('event', { ...event, stream, sequence: record.sequence, floor })
      .then(answered, (error: unknown) => {
        answered();
        // A lost connection refuses everything in flight, and that is not news.
        if (link !== this.#link) return;
        this.counts.refused += 1;
        this.#log.warn('event.refused', { sequence: record.sequence, ...errorFields(error) });
      });
  }

  #tick(): void {
    if (!this.#link) return;
    if (this.#unanswered === 0 && this.#window.isStalled(this.#queue.floor)) {
      this.#log.warn('ack.silence', { floor: this.#queue.floor, held: this.#queue.held });
    }
    // Also after a failed read: the disk may answer again.
    this.pump();
  }
}

function parseAck(payload: Buffer): AgentAck | undefined {
  try {
    const parsed = AgentAck.safeParse(JSON.parse(payload.toString('utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    // Not JSON: counted by the caller like every other ack that is not ours.
    return undefined;
  }
}
