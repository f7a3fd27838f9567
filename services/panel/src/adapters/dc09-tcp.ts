/**
 * DC-09 over TCP. A panel may keep its connection or open one per message; it may send several messages at once, one in
 * many pieces, and close its side before it has our answer.
 * What must stay true: no bytes end the listener; a connection holds one longest frame and a bounded number of answers.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '@siphera/runtime';
import { FrameSplitter } from '../domain/frame-splitter.ts';
import { ConnectionTable, type Entry, type Limits } from './connection-table.ts';
import type { Intake } from './intake.ts';
import type { PanelMetrics } from './panel-metrics.ts';

export type TcpOptions = {
  host: string;
  port: number;
  intake: Pick<Intake, 'receive'>;
  clock: Clock;
  metrics: PanelMetrics;
  limits: Limits;
  /** A connection without a byte for this long is closed; panels that poll do so within minutes. */
  idleMs: number;
  /** A frame that has begun must be whole within this time. */
  partialMs: number;
};

/** Frames of one connection without an answer yet; above it we stop reading, below half of it we go on. */
const openFramesMax = 64;
/** Answers a panel did not read. An ACK has 30 to 120 bytes. */
const unreadBytesMax = 16 * 1024;
/** A dead peer (power cut, cable pulled) is found by TCP itself. */
const keepAliveMs = 30_000;

export class Dc09Tcp {
  readonly #options: TcpOptions;
  readonly #table: ConnectionTable;
  readonly #server: Server;

  constructor(options: TcpOptions) {
    this.#options = options;
    this.#table = new ConnectionTable(options.limits);
    this.#server = createServer(
      { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs },
      (socket) => this.#accept(socket),
    );
  }

  get connections(): number {
    return this.#table.size;
  }

  /** @returns the port. */
  async start(): Promise<number> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: 512 }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : port;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const entry of this.#table.all()) entry.cut('stopping');
    await closed;
  }

  #accept(socket: Socket): void {
    const { clock, metrics } = this.#options;
    const entry: Entry = {
      address: (socket.remoteAddress ?? '').replace(/^::ffff:/, ''),
      lastActiveMs: clock.monotonic(),
      openFrames: 0,
      cut: (reason) => {
        metrics.connectionsCut.inc({ reason });
        socket.destroy();
      },
    };
    // A reset by the peer is not news; the close that follows cleans up.
    socket.on('error', () => socket.destroy());
    if (!this.#table.admit(entry)) {
      entry.cut('too_many');
      return;
    }
    metrics.connections.set(this.#table.size);
    socket.once('close', () => {
      this.#table.remove(entry);
      metrics.connections.set(this.#table.size);
    });
    this.#serve(socket, entry);
  }

  #serve(socket: Socket, entry: Entry): void {
    const { clock, metrics, idleMs, partialMs } = this.#options;
    const splitter = new FrameSplitter();
    let garbage = 0;
    let ended = false;
    let partial: NodeJS.Timeout | undefined;
    const endWhenDone = (): void => {
      if (ended && entry.openFrames === 0) socket.end();
    };
    socket.setTimeout(idleMs, () => entry.cut('idle'));
    socket.on('data', (chunk) => {
      entry.lastActiveMs = clock.monotonic();
      const frames = splitter.push(chunk);
      metrics.garbageBytes.inc({ transport: 'tcp' }, splitter.garbageBytes - garbage);
      garbage = splitter.garbageBytes;
      if (frames.length > 0 || !isFrameBegun(splitter)) {
        clearTimeout(partial);
        partial = undefined;
      }
      if (isFrameBegun(splitter)) partial ??= setTimeout(() => entry.cut('slow_frame'), partialMs);
      for (const bytes of frames) this.#handle(socket, entry, bytes, endWhenDone);
      if (entry.openFrames > openFramesMax) socket.pause();
    });
    socket.once('end', () => {
      ended = true;
      endWhenDone();
    });
    socket.once('close', () => clearTimeout(partial));
  }

  #handle(socket: Socket, entry: Entry, bytes: Buffer, done: () => void): void {
    entry.openFrames += 1;
    void this.#options.intake.receive({ bytes, transport: 'tcp', address: entry.address }).then((answer) => {
      entry.openFrames -= 1;
      if (socket.destroyed) return;
      if (answer) socket.write(answer);
      if (socket.writableLength > unreadBytesMax) entry.cut('answers_not_read');
      else if (socket.isPaused() && entry.openFrames < openFramesMax / 2) socket.resume();
      done();
    });
  }
}

/** One or two bytes are line ends that some panels send behind a frame. */
const isFrameBegun = (splitter: FrameSplitter): boolean => splitter.pendingBytes > 2;
