/** Ear and fingers of a phone in a test: it measures what it hears, and presses keys by RFC 4733. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export type PhoneEar = AsyncDisposable & {
  port: number;
  /** Loudest second so far: root mean square of what was heard, of 32,768. */
  loudness(): number;
  /** Presses a key towards where the SDP says. */
  press(digit: string, sdp: string): Promise<void>;
};

const frame = 160;
const keys = '0123456789*#';

export async function openPhoneEar(address: string): Promise<PhoneEar> {
  const socket = createSocket('udp4');
  socket.bind(0, address);
  await once(socket, 'listening');
  const frames: number[] = [];
  socket.on('message', (packet) => {
    if (packet.length !== 12 + frame) return;
    let sum = 0;
    for (const code of packet.subarray(12)) sum += decodeMuLaw(code) ** 2;
    frames.push(sum / frame);
  });
  let sequence = 1;
  const send = (payload: number[], timestamp: number, to: { address: string; port: number }): void => {
    const head = Buffer.alloc(12);
    head[0] = 0x80;
    head[1] = 101;
    head.writeUInt16BE(sequence++, 2);
    head.writeUInt32BE(timestamp, 4);
    head.writeUInt32BE(0xc0ffee, 8);
    socket.send(Buffer.concat([head, Buffer.from(payload)]), to.port, to.address);
  };
  return {
    port: socket.address().port,
    loudness: () => {
      let loudest = 0;
      for (let at = 0; at + 50 <= frames.length; at += 25)
        loudest = Math.max(loudest, Math.sqrt(frames.slice(at, at + 50).reduce((a, b) => a + b, 0) / 50));
      return loudest;
    },
    press: async (digit, sdp) => {
      const to = {
        address: /^c=IN IP4 (\S+)/m.exec(sdp)?.[1] ?? '',
        port: Number(/^m=audio (\d+)/m.exec(sdp)?.[1] ?? 0),
      };
      const timestamp = sequence * 1_000;
      // Each 20 ms one, the last one three times, as phones do.
      for (const [end, duration] of [
        [0, 160],
        [0, 320],
        [0, 480],
        [0x80, 640],
        [0x80, 640],
        [0x80, 640],
      ] as const) {
        send([keys.indexOf(digit), end | 10, duration >> 8, duration & 0xff], timestamp, to);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    [Symbol.asyncDispose]: async () => {
      await new Promise<void>((resolve) => socket.close(resolve));
    },
  };
}

function decodeMuLaw(code: number): number {
  const value = ~code & 0xff;
  const magnitude = ((((value & 0x0f) << 3) + 0x84) << ((value >> 4) & 7)) - 0x84;
  return value & 0x80 ? -magnitude : magnitude;
}
