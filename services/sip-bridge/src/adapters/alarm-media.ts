/** The sound of one alarm call: speaks in time, in G.711 over RTP, and hears keys. It sends until it is closed, silence too. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Clock, Random } from '@siphera/runtime';
import { encodeSample, frameSamples, readKey, sampleRate, writeRtp } from '../domain/alarm-audio.ts';
import type { RemoteSound } from '../domain/alarm-sdp.ts';

const frameMs = (frameSamples / sampleRate) * 1_000;
/** Between two times that it is spoken: time to think, and to press a key. */
const pauseSamples = 2 * sampleRate;
/** A process that was held up sends no more than this at once; what is older is left out, not hurried through. */
const framesAtOnce = 5;

export class AlarmMedia {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #onKey: (digit: string) => void;
  readonly #source: number;
  readonly #firstSequence: number;
  readonly #firstTimestamp: number;
  #remote: RemoteSound | undefined;
  #samples: Int16Array = new Int16Array();
  #at = 0;
  #isLast = false;
  #onSpoken: (() => void) | undefined;
  #sent = 0;
  #startedMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #lastKey: number | undefined;

  private constructor(
    socket: Socket,
    { clock, random, onKey }: { clock: Clock; random: Random; onKey: (digit: string) => void },
  ) {
    this.#socket = socket;
    this.#clock = clock;
    this.#onKey = onKey;
    const start = random.bytes(10);
    this.#source = start.readUInt32BE(0);
    this.#firstTimestamp = start.readUInt32BE(4);
    this.#firstSequence = start.readUInt16BE(8);
  }

  static async open(options: {
    address: string;
    clock: Clock;
    random: Random;
    onKey: (digit: string) => void;
  }): Promise<AlarmMedia> {
    const socket = createSocket(options.address.includes(':') ? 'udp6' : 'udp4');
    const media = new AlarmMedia(socket, options);
    socket.on('message', (packet, { address, port }) => media.#hear(packet, address, port));
    // A port that is closed at the other end (ICMP) ends no call: SIP says when it is over.
    socket.on('error', () => undefined);
    socket.bind(0, options.address);
    await once(socket, 'listening');
    return media;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Where the sound goes; again when the other end moves. */
  sendTo(remote: RemoteSound): void {
    this.#remote = remote;
    if (this.#timer) return;
    this.#startedMs = this.#clock.monotonic();
    this.#tick();
  }

  /** From its beginning, again and again. */
  speak(samples: Int16Array): void {
    this.#samples = samples;
    this.#at = 0;
  }

  /** Once more, then no more. Resolves when it is spoken, or the call is closed. */
  speakLast(samples: Int16Array): Promise<void> {
    this.speak(samples);
    this.#isLast = true;
    return new Promise((resolve) => {
      this.#onSpoken = resolve;
    });
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#remote = undefined;
    this.#onSpoken?.();
    this.#socket.close();
  }

  #tick(): void {
    const due = Math.floor((this.#clock.monotonic() - this.#startedMs) / frameMs) + 1;
    const behind = due - this.#sent - framesAtOnce;
    if (behind > 0) this.#startedMs += behind * frameMs;
    const upto = Math.min(due, this.#sent + framesAtOnce);
    while (this.#sent < upto) this.#sendFrame();
    const waitMs = this.#startedMs + this.#sent * frameMs - this.#clock.monotonic();
    this.#timer = setTimeout(() => this.#tick(), Math.max(1, waitMs));
  }

  #sendFrame(): void {
    const remote = this.#remote;
    if (!remote) return;
    const payload = Uint8Array.from({ length: frameSamples }, (_, index) =>
      encodeSample(this.#samples[this.#at + index] ?? 0, remote.codec),
    );
    this.#at += frameSamples;
    this.#turn();
    const head = {
      type: remote.codec,
      isFirst: this.#sent === 0,
      sequence: this.#firstSequence + this.#sent,
      timestamp: this.#firstTimestamp + this.#sent * frameSamples,
      source: this.#source,
    };
    this.#sent += 1;
    this.#socket.send(writeRtp(head, payload), remote.port, remote.address);
  }

  #turn(): void {
    if (this.#isLast && this.#at >= this.#samples.length) this.#onSpoken?.();
    else if (!this.#isLast && this.#at >= this.#samples.length + pauseSamples) this.#at = 0;
  }

  /** A key takes an alarm off the list: it counts from where our sound goes, and from nowhere else. */
  #hear(packet: Buffer, address: string, port: number): void {
    const remote = this.#remote;
    if (remote?.keys === undefined || address !== remote.address || port !== remote.port) return;
    const key = readKey(packet, remote.keys);
    if (!key || key.timestamp === this.#lastKey) return;
    this.#lastKey = key.timestamp;
    this.#onKey(key.digit);
  }
}
