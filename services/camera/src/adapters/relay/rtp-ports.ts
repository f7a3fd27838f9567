/** Loopback ports for RTP: each stream has four in a row, RTP and RTCP of video and of audio (RFC 3550 §11: RTP ports are even). */
import type { RelayPorts } from '../../domain/relay-command.ts';

const perStream = 4;

export class RtpPorts {
  readonly #first: number;
  readonly #count: number;
  readonly #taken = new Set<number>();
  #next = 0;

  constructor(range: { first: number; last: number }) {
    this.#first = range.first + (range.first % 2);
    this.#count = Math.floor((range.last - this.#first + 1) / perStream);
  }

  /** The least recently used, so that a late packet of the stream before does not meet its successor. Undefined when all are taken. */
  take(): RelayPorts | undefined {
    for (let tried = 0; tried < this.#count; tried += 1) {
      const index = this.#next;
      this.#next = (this.#next + 1) % this.#count;
      if (this.#taken.has(index)) continue;
      this.#taken.add(index);
      const video = this.#first + index * perStream;
      return { video, audio: video + 2 };
    }
    return undefined;
  }

  give(ports: RelayPorts): void {
    this.#taken.delete((ports.video - this.#first) / perStream);
  }
}
