/**
 * The RTSP 1.0 server of links of kind rtsp (RFC 2326, RTP interleaved in the TCP connection by §10.12, nothing else). The
 * token is the path. What must stay true: without a good token nothing of a camera is told, and whatever a client sends or
 * fails to read costs no more than its bounds.
 */
import { AppError, type Clock, type Logger, type Metrics, type Random } from '@siphera/runtime';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { LiveStreams } from '../../domain/media.ts';
import type { LinkDoor } from './link-door.ts';
import { RtspConnection } from './rtsp-connection.ts';

/** Recorders and walls of other makers; each is a whole stream. */
const connectionsMax = 64;
const perAddressMax = 16;

export type RtspServerOptions = {
  host: string;
  port: number;
  streams: LiveStreams;
  door: LinkDoor;
  clock: Clock;
  random: Random;
  log: Logger;
  metrics: Metrics;
};

export class RtspServer {
  readonly #options: RtspServerOptions;
  readonly #server: Server;
  readonly #open = new Map<Socket, RtspConnection>();
  readonly #refused: { inc(): void };
  readonly #count: { set(value: number): void };

  constructor(options: RtspServerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#take(socket));
    this.#refused = options.metrics.counter('rtsp_refused', 'RTSP connections beyond the bounds');
    this.#count = options.metrics.gauge('rtsp_connections', 'RTSP connections');
  }

  get connections(): number {
    return this.#open.size;
  }

  /** @returns the port. */
  async start(): Promise<number> {
    const { host, port } = this.#options;
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    const bound = this.#server.address();
    return typeof bound === 'object' && bound ? bound.port : port;
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const connection of [...this.#open.values()]) connection.close('The camera service stops.');
    await closed;
  }

  #take(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const sameAddress = [...this.#open.keys()].filter((other) => other.remoteAddress === address).length;
    if (this.#open.size >= connectionsMax || sameAddress >= perAddressMax) {
      this.#refused.inc();
      socket.destroy();
      return;
    }
    this.#open.set(socket, new RtspConnection(socket, { ...this.#options, describe: describeError }));
    this.#count.set(this.#open.size);
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#count.set(this.#open.size);
    });
  }
}

/** What a refusal is in RTSP. */
function describeError(error: unknown): 404 | 410 | 503 | 500 {
  if (!(error instanceof AppError)) return 500;
  if (error.code === 'not_found') return 404;
  return error.code === 'gone' ? 410 : 503;
}
