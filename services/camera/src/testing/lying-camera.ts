/** An RTSP server whose words are those of a good H.264 camera and whose bytes are no picture: what broken cameras send. */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { systemRandom } from '@siphera/runtime';

export type LyingCamera = AsyncDisposable & { url: string };

/** 640×360, Baseline (where ffmpeg takes any intra slice for a key frame) and Main: of a real encoder. */
const parameterSets = {
  baseline: 'Z0LAHtoCgL/lwEQAAAMABAAAAwDIPFi6gA==,aM4PyA==',
  main: 'Z01AFtkAoC/5cBEAAAMAAQAAAwAUDxYuSA==,aOvDyyA=',
} as const;
const everyMs = 50;
const packetBytes = 700;

/** @param sets what its SDP carries, so that a client believes to know what comes. */
export async function startLyingCamera(sets: keyof typeof parameterSets | 'none'): Promise<LyingCamera> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const timers: NodeJS.Timeout[] = [];
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      for (const timer of timers) clearInterval(timer);
    });
    socket.on('data', (bytes) => {
      const text = bytes.toString('latin1');
      const method = /^([A-Z]+) (\S+)/.exec(text);
      if (!method) return;
      socket.write(
        answerTo(method[1] ?? '', method[2] ?? '', text, sets === 'none' ? '' : parameterSets[sets]),
      );
      if (method[1] === 'PLAY') timers.push(setInterval(() => socket.write(nonsense()), everyMs));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `rtsp://127.0.0.1:${(server.address() as AddressInfo).port}/live`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answerTo(method: string, url: string, request: string, parameters: string): string {
  const head = `RTSP/1.0 200 OK\r\nCSeq: ${/CSeq: (\d+)/i.exec(request)?.[1] ?? '1'}\r\n`;
  switch (method) {
    case 'DESCRIBE': {
      const sets = parameters === '' ? '' : `;sprop-parameter-sets=${parameters}`;
      const sdp =
        'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n' +
        `a=fmtp:96 packetization-mode=1${sets}\r\na=control:track1\r\n`;
      return `${head}Content-Base: ${url}/\r\nContent-Type: application/sdp\r\nContent-Length: ${sdp.length}\r\n\r\n${sdp}`;
    }
    case 'SETUP':
      return `${head}Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n`;
    default:
      return `${head}Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\nSession: 1\r\n\r\n`;
  }
}

let sequence = 0;
/** One RTP packet, interleaved (RFC 2326 §10.12): a slice that refers to pictures that never were, and is none. */
function nonsense(): Buffer {
  sequence += 1;
  const packet = Buffer.from(systemRandom.bytes(packetBytes));
  packet[0] = 0x80;
  packet[1] = 0x80 | 96;
  packet.writeUInt16BE(sequence % 65_536, 2);
  packet.writeUInt32BE((sequence * 4_500) % 2 ** 32, 4);
  packet.writeUInt32BE(1, 8);
  packet[12] = 0x41;
  const frame = Buffer.from([0x24, 0, 0, 0]);
  frame.writeUInt16BE(packet.length, 2);
  return Buffer.concat([frame, packet]);
}
