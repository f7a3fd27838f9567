/** Keys that the media relays hear (rtpengine `--dtmf-log-dest`): one JSON object a datagram, from this machine alone. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import type { InternalHeartbeat } from '@siphera/contract';
import type { Clock, Logger, Metrics } from '@siphera/runtime';
import { z } from 'zod';
import { digitOfEvent } from '../domain/digits.ts';

export type RelayDigit = { callId: string; tag: string; address: string | undefined; digit: string };
type Options = {
  /** host:port. */
  address: string;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  hear(digit: RelayDigit): void;
};

/** A datagram of a relay has some 300 bytes; long Call-IDs and many tags make it longer. */
const bytesMax = 8_192;
/** Keys a second, over all calls: fast dialling is ten. More is a fault, and each costs a look into the file. */
const perSecondMax = 200;
const bindAgainMs = 5_000;

const Report = z.object({
  callid: z.string().min(1).max(300),
  source_tag: z.string().min(1).max(300),
  type: z.literal('DTMF'),
  source_ip: z.string().max(64).optional(),
  event: z.int().min(0).max(15),
});

export class DigitListener {
  readonly #options: Options;
  readonly #counted;
  #socket: Socket | undefined;
  #again: NodeJS.Timeout | undefined;
  #isStopped = false;
  #problem: string | undefined = 'not started';
  #second = { startMs: -Infinity, count: 0 };

  constructor(options: Options) {
    this.#options = options;
    this.#counted = options.metrics.counter(
      'relay_digits_total',
      'Datagrams of the media relays by outcome',
      ['outcome'],
    );
  }

  /** Resolves when it listens, or has failed to for the first time. */
  start(): Promise<void> {
    const { address, log } = this.#options;
    const colon = address.lastIndexOf(':');
    const host = address.slice(0, colon).replaceAll(/[[\]]/g, '');
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    this.#socket = socket;
    socket.on('message', (bytes, from) => this.#counted.inc({ outcome: this.#take(bytes, from) }));
    return new Promise((resolve) => {
      socket.on('error', (error) => {
        this.#problem = error.message;
        log.error('digits_not_heard', { error, address });
        socket.close();
        if (!this.#isStopped) this.#again = setTimeout(() => void this.start(), bindAgainMs);
        resolve();
      });
      socket.bind(Number(address.slice(colon + 1)), host, () => {
        this.#problem = undefined;
        resolve();
      });
    });
  }

  check(): InternalHeartbeat['checks'][number] {
    const problem = this.#problem;
    return {
      name: 'keys',
      state: problem === undefined ? 'ok' : 'degraded',
      detail: problem === undefined ? 'heard' : `keys of phones open no door: ${problem}`.slice(0, 300),
    };
  }

  stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#again);
    return new Promise((resolve) => {
      if (!this.#socket || this.#problem !== undefined) resolve();
      else this.#socket.close(() => resolve());
    });
  }

  #take(bytes: Buffer, from: RemoteInfo): string {
    if (!isLoopback(from.address)) return 'stranger';
    if (bytes.length > bytesMax) return 'unreadable';
    if (this.#isTooMuch()) return 'too_many';
    const report = readReport(bytes);
    const digit = report && digitOfEvent(report.event);
    if (!report || digit === undefined) {
      this.#options.log.warn('relay_digit_unreadable', { bytes: bytes.length });
      return 'unreadable';
    }
    const { callid: callId, source_tag: tag, source_ip: address } = report;
    this.#options.hear({ callId, tag, address, digit });
    return 'heard';
  }

  #isTooMuch(): boolean {
    const nowMs = this.#options.clock.monotonic();
    if (nowMs - this.#second.startMs >= 1_000) this.#second = { startMs: nowMs, count: 0 };
    this.#second.count += 1;
    return this.#second.count > perSecondMax;
  }
}

/** A Call-ID with a quote in it breaks the relay's JSON: such a call opens no door by key. */
function readReport(bytes: Buffer): z.infer<typeof Report> | undefined {
  try {
    return Report.safeParse(JSON.parse(bytes.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}

const isLoopback = (address: string): boolean =>
  /^127\./.test(address) || address === '::1' || address.startsWith('::ffff:127.');
