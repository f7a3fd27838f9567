/** One end of sound in tests: sends packets of G.711 and keys (RFC 4733) to a relay, and keeps what comes. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const soundType = 0;
const keyType = 101;
const ticks = 160;

export class RtpEnd {
  readonly address: string;
  readonly port: number;
  readonly #socket: Socket;
  readonly #payloads: string[] = [];
  #target: { address: string; port: number } | undefined;
  #sequence = 1;
  #timestamp: number;

  private constructor(socket: Socket) {
    this.#socket = socket;
    ({ address: this.address, port: this.port } = socket.address());
    // Each end its own, or a relay takes a key of another end for one that it knows.
    this.#timestamp = this.port * 10_000;
    socket.on('message', (bytes) => {
      if (((bytes[1] ?? 0) & 0x7f) === soundType) this.#payloads.push(bytes.toString('latin1', 12));
    });
  }

  static async open(address: string): Promise<RtpEnd> {
    const socket = createSocket('udp4');
    socket.bind(0, address);
    await once(socket, 'listening');
    return new RtpEnd(socket);
  }

  /** To where an SDP says. */
  aim(sdp: string): void {
    const address = /^c=IN IP4 (\S+)/m.exec(sdp)?.[1];
    const port = /^m=audio (\d+)/m.exec(sdp)?.[1];
    if (address === undefined || port === undefined) throw new Error(`no sound in ${sdp}`);
    this.#target = { address, port: Number(port) };
  }

  /** One packet of 20 ms, all of one sample. */
  sound(sample: number): void {
    this.#send(soundType, Buffer.alloc(ticks, sample));
    this.#timestamp += ticks;
  }

  /** A key of 60 ms: event as RFC 4733 §3.2 numbers it. */
  key(event: number): void {
    for (const [end, length] of [
      [0, 160],
      [0, 320],
      [1, 480],
      [1, 480],
      [1, 480],
    ] as const)
      this.#send(keyType, Buffer.from([event, (end << 7) | 10, length >> 8, length & 0xff]));
    this.#timestamp += 4 * ticks;
  }

  /** Whether a packet of that sample came. */
  heard(sample: number): boolean {
    return this.#payloads.includes(Buffer.alloc(ticks, sample).toString('latin1'));
  }

  close(): void {
    this.#socket.close();
  }

  #send(type: number, payload: Buffer): void {
    if (!this.#target) throw new Error('aimed nowhere');
    const head = Buffer.alloc(12);
    head[0] = 0x80;
    head[1] = type;
    head.writeUInt16BE(this.#sequence & 0xffff, 2);
    head.writeUInt32BE(this.#timestamp, 4);
    head.writeUInt32BE(this.port, 8);
    this.#sequence += 1;
    this.#socket.send(Buffer.concat([head, payload]), this.#target.port, this.#target.address);
  }
}
