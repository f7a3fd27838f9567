/** DC-09 over UDP: a datagram carries one message, or several; the answer goes to where it came from. */
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Logger } from '@siphera/runtime';
import { FrameSplitter } from '../domain/frame-splitter.ts';
import type { Intake } from './intake.ts';
import type { PanelMetrics } from './panel-metrics.ts';

export type UdpOptions = {
  host: string;
  port: number;
  intake: Pick<Intake, 'receive'>;
  log: Logger;
  metrics: PanelMetrics;
};

/** Room for a burst while the loop is busy: a thousand frames of a real panel. */
const receiveBufferBytes = 1024 * 1024;

export class Dc09Udp {
  readonly #options: UdpOptions;
  readonly #socket: Socket;

  constructor(options: UdpOptions) {
    this.#options = options;
    this.#socket = createSocket(isIPv6(options.host) ? 'udp6' : 'udp4');
  }

  async start(): Promise<number> {
    const { host, port, log } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#socket.once('error', reject);
      this.#socket.bind(port, host, () => {
        this.#socket.off('error', reject);
        resolve();
      });
    });
    this.#socket.on('error', (error) => log.warn('udp_error', { error }));
    this.#socket.on('message', (datagram, from) => this.#take(datagram, from.address, from.port));
    try {
      this.#socket.setRecvBufferSize(receiveBufferBytes);
    } catch (error) {
      log.warn('udp_buffer_not_set', { error });
    }
    return this.#socket.address().port;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }

  #take(datagram: Buffer, address: string, port: number): void {
    const splitter = new FrameSplitter();
    const frames = [...splitter.push(datagram), ...splitter.flush()];
    this.#options.metrics.garbageBytes.inc({ transport: 'udp' }, splitter.garbageBytes);
    const named = address.replace(/^::ffff:/, '');
    for (const bytes of frames) {
      void this.#options.intake.receive({ bytes, transport: 'udp', address: named }).then((answer) => {
        // A send that fails is a datagram lost: the panel sends again.
        if (answer) this.#socket.send(answer, port, address, () => undefined);
      });
    }
  }
}
