/**
 * An alarm panel that speaks DC-09 over TCP or UDP: plain or encrypted, with sequence numbers, waiting for the ACK of
 * its message, sending it again when none comes, and setting its clock by a NAK. One message is under way at a time,
 * as in a real panel.
 */
import { createSocket, type Socket as Datagrams } from 'node:dgram';
import { createConnection, type Socket } from 'node:net';
import { encodePanelFrame, takeAnswer, type FrameFields, type PanelAnswer } from './fake-panel-codec.ts';

export * from './fake-panel-codec.ts';

export type FakePanelOptions = {
  port: number;
  host?: string;
  transport?: 'tcp' | 'udp';
  account: string;
  key?: Buffer;
  receiver?: string;
  line?: string;
  /** UTC milliseconds by the panel's own clock. */
  now: () => number;
  /** Send a timestamp with plain messages too. */
  stampPlain?: boolean;
  /** Wait for an answer this long before sending again. */
  answerMs?: number;
  /** Wait this long after a connection that was refused or broke. */
  retryMs?: number;
  /** Times a message is sent before the panel gives up. */
  attempts?: number;
};

export type Delivery = { answer: PanelAnswer | undefined; attempts: number; naks: number };

export class FakePanel {
  readonly #options: Required<Omit<FakePanelOptions, 'key'>> & { key: Buffer | undefined };
  readonly #wire: Wire;
  #sequence = 0;
  /** What a NAK has taught the panel about its clock. */
  #correctionMs = 0;

  constructor(options: FakePanelOptions) {
    this.#options = {
      host: '127.0.0.1',
      transport: 'tcp',
      receiver: 'R0',
      line: 'L0',
      stampPlain: false,
      answerMs: 20_000,
      retryMs: 100,
      attempts: 10,
      ...options,
      key: options.key,
    };
    const { host, port, transport } = this.#options;
    this.#wire = transport === 'tcp' ? new TcpWire(host, port) : new UdpWire(host, port);
  }

  get sequence(): number {
    return this.#sequence;
  }

  /** Contact ID, e.g. `contactId('1130 01 005')`. */
  contactId(report: string, more: Partial<FrameFields> = {}): Promise<Delivery> {
    return this.send({ id: 'ADM-CID', data: `#${this.#options.account}|${report}`, ...more });
  }

  /** SIA format, e.g. `sia('Nri1/BA005')`. */
  sia(report: string, more: Partial<FrameFields> = {}): Promise<Delivery> {
    return this.send({ id: 'SIA-DCS', data: `#${this.#options.account}|${report}`, ...more });
  }

  linkTest(): Promise<Delivery> {
    return this.send({ id: 'NULL', data: '' });
  }

  /** Sends a message until it is answered by ACK or DUH, or the attempts are used up. */
  async send(fields: Pick<FrameFields, 'id' | 'data'> & Partial<FrameFields>): Promise<Delivery> {
    const sequence = fields.sequence ?? this.#nextSequence();
    let naks = 0;
    for (let attempt = 1; attempt <= this.#options.attempts; attempt += 1) {
      const answer = await this.#exchange(this.#frame({ ...fields, sequence }), sequence);
      if (answer?.kind === 'NAK') {
        naks += 1;
        if (answer.timeMs !== undefined) this.#correctionMs = answer.timeMs - this.#options.now();
      } else if (answer) {
        return { answer, attempts: attempt, naks };
      }
    }
    return { answer: undefined, attempts: this.#options.attempts, naks };
  }

  /** Sends bytes as they are and waits for one answer; undefined for silence. */
  raw(bytes: Buffer): Promise<PanelAnswer | undefined> {
    return this.#exchange(bytes, undefined);
  }

  close(): void {
    this.#wire.close();
  }

  #frame(fields: Pick<FrameFields, 'id' | 'data' | 'sequence'> & Partial<FrameFields>): Buffer {
    const { receiver, line, account, key, stampPlain, now } = this.#options;
    const timeMs = key || stampPlain ? now() + this.#correctionMs : undefined;
    return encodePanelFrame({ receiver, line, account, key, timeMs, ...fields });
  }

  async #exchange(bytes: Buffer, sequence: string | undefined): Promise<PanelAnswer | undefined> {
    const deadline = AbortSignal.timeout(this.#options.answerMs);
    try {
      const answers = this.#wire.exchange(bytes, this.#options.key, deadline);
      for await (const answer of answers) {
        // An answer to an earlier attempt of another message is not for this one.
        if (sequence === undefined || answer.kind === 'NAK' || answer.sequence === sequence) return answer;
      }
    } catch (error) {
      if (!isSilence(error)) throw error;
      if (!deadline.aborted) await new Promise((resolve) => setTimeout(resolve, this.#options.retryMs));
    }
    return undefined;
  }

  /** 0001 to 9999, then 0001 again (DC-09 §5.5.1.5). */
  #nextSequence(): string {
    this.#sequence = (this.#sequence % 9_999) + 1;
    return String(this.#sequence).padStart(4, '0');
  }
}

type Wire = {
  exchange(bytes: Buffer, key: Buffer | undefined, deadline: AbortSignal): AsyncIterable<PanelAnswer>;
  close(): void;
};

/** Refused, reset, closed, or no answer in time: a panel tries again. */
function isSilence(error: unknown): boolean {
  const { name, code } = error as { name?: string; code?: string };
  return (
    name === 'AbortError' ||
    name === 'TimeoutError' ||
    ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ABORT_ERR', 'ERR_STREAM_PREMATURE_CLOSE', 'ENOENT'].includes(
      code ?? '',
    )
  );
}

class TcpWire implements Wire {
  readonly #host: string;
  readonly #port: number;
  #socket: Socket | undefined;
  #rest: Buffer = Buffer.alloc(0);

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
  }

  async *exchange(
    bytes: Buffer,
    key: Buffer | undefined,
    deadline: AbortSignal,
  ): AsyncGenerator<PanelAnswer> {
    const socket = await this.#connect(deadline);
    socket.write(bytes);
    for (;;) {
      const taken = takeAnswer(this.#rest, key);
      if (taken) {
        this.#rest = taken.rest;
        yield taken.answer;
      } else {
        this.#rest = Buffer.concat([this.#rest, await nextChunk(socket, deadline)]);
      }
    }
  }

  close(): void {
    this.#socket?.destroy();
  }

  async #connect(deadline: AbortSignal): Promise<Socket> {
    if (this.#socket && !this.#socket.destroyed && this.#socket.writable) return this.#socket;
    this.#rest = Buffer.alloc(0);
    const socket = createConnection({ host: this.#host, port: this.#port, noDelay: true });
    this.#socket = socket;
    socket.on('error', () => socket.destroy());
    await settled<undefined>(socket, deadline, 'connect');
    return socket;
  }
}

const nextChunk = (socket: Socket, deadline: AbortSignal): Promise<Buffer> =>
  settled<Buffer>(socket, deadline, 'data');

function settled<T>(socket: Socket, deadline: AbortSignal, event: 'connect' | 'data'): Promise<T> {
  return new Promise((resolve, reject) => {
    const done = (act: () => void) => (): void => {
      socket.off(event, onEvent).off('close', onClose).off('end', onClose);
      deadline.removeEventListener('abort', onAbort);
      act();
    };
    const onEvent = (value: unknown): void => done(() => resolve(value as T))();
    const onClose = done(() => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
    const onAbort = done(() => reject(Object.assign(new Error('no answer'), { name: 'TimeoutError' })));
    if (deadline.aborted) onAbort();
    else if (socket.destroyed) onClose();
    else {
      socket.once(event, onEvent).once('close', onClose).once('end', onClose);
      deadline.addEventListener('abort', onAbort, { once: true });
    }
  });
}

class UdpWire implements Wire {
  readonly #host: string;
  readonly #port: number;
  readonly #socket: Datagrams;

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
    this.#socket = createSocket('udp4');
    // The receiver may be down for a while; the panel sends again.
    this.#socket.on('error', () => undefined);
  }

  async *exchange(
    bytes: Buffer,
    key: Buffer | undefined,
    deadline: AbortSignal,
  ): AsyncGenerator<PanelAnswer> {
    this.#socket.send(bytes, this.#port, this.#host);
    for (;;) {
      const datagram = await this.#next(deadline);
      const taken = takeAnswer(datagram, key);
      if (taken) yield taken.answer;
    }
  }

  close(): void {
    this.#socket.close();
  }

  #next(deadline: AbortSignal): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const onMessage = (datagram: Buffer): void => {
        deadline.removeEventListener('abort', onAbort);
        resolve(datagram);
      };
      const onAbort = (): void => {
        this.#socket.off('message', onMessage);
        reject(Object.assign(new Error('no answer'), { name: 'TimeoutError' }));
      };
      if (deadline.aborted) {
        onAbort();
        return;
      }
      this.#socket.once('message', onMessage);
      deadline.addEventListener('abort', onAbort, { once: true });
    });
  }
}
