/** How a SIP end of a test reaches Kamailio: by UDP, or by a websocket as the front door hands one on. Letters are bytes. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export type SipLink = {
  /** What it writes into Via and Contact. */
  via: string;
  contact: (user: string) => string;
  address: string;
  port: number;
  send: (text: string) => void;
  close: () => Promise<void>;
};
export type WebsocketOptions = {
  url: string;
  /** The page that it comes from; none when empty. */
  origin: string;
  /** Client address as the front door tells it. */
  forwardedFor?: string;
};

export async function openUdpLink(
  server: { address: string; port: number },
  own: { address: string; port: number },
  hear: (text: string) => void,
): Promise<SipLink> {
  const socket = createSocket('udp4');
  socket.bind(own.port, own.address);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.on('message', (data) => hear(data.toString('latin1')));
  return {
    via: `UDP ${own.address}:${port}`,
    contact: (user) => `<sip:${user}@${own.address}:${port}>`,
    address: own.address,
    port,
    send: (text) => socket.send(Buffer.from(text, 'latin1'), server.port, server.address),
    close: onceOnly(async () => {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    }),
  };
}

/** @throws when the handshake is refused. */
export async function openWebsocketLink(
  { url, origin, forwardedFor }: WebsocketOptions,
  hear: (text: string) => void,
): Promise<SipLink> {
  const headers = {
    ...(origin === '' ? {} : { origin }),
    ...(forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor }),
  };
  const socket = openSipSocket(url, headers);
  socket.binaryType = 'arraybuffer';
  socket.addEventListener('message', (event: { data?: unknown }) =>
    hear(event.data instanceof ArrayBuffer ? Buffer.from(event.data).toString('latin1') : String(event.data)),
  );
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('error', () => reject(new Error(`The websocket from ${origin} was refused`)));
  });
  const host = `${crypto.randomUUID().slice(0, 8)}.invalid`;
  return {
    via: `WS ${host}`,
    contact: (user) => `<sip:${user}@${host};transport=ws>`,
    address: host,
    port: 0,
    send: (text) => socket.send(text),
    close: onceOnly(async () => {
      if (socket.readyState === socket.CLOSED) return;
      const closed = new Promise<void>((resolve) => socket.addEventListener('close', () => resolve()));
      socket.close();
      await closed;
    }),
  };
}

/** SIP over a websocket (RFC 7118). Node's own takes headers, which the type of browsers does not know. */
export function openSipSocket(url: string, headers: Readonly<Record<string, string>>): WebSocket {
  const Open = WebSocket as unknown as new (url: string, init: object) => WebSocket;
  return new Open(url, { protocols: ['sip'], headers });
}

function onceOnly(close: () => Promise<void>): () => Promise<void> {
  let closing: Promise<void> | undefined;
  return () => (closing ??= close());
}

/** An offer as a browser makes it, with what a relay needs to take it. */
export const softphoneOffer = (): string =>
  [
    'v=0',
    'o=- 1 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111 0 126',
    'c=IN IP4 0.0.0.0',
    'a=rtcp:9 IN IP4 0.0.0.0',
    'a=ice-ufrag:abcd',
    'a=ice-pwd:abcdefghijklmnopqrstuvwx',
    `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
    'a=setup:actpass',
    'a=mid:0',
    'a=sendrecv',
    'a=rtcp-mux',
    'a=rtpmap:111 opus/48000/2',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:126 telephone-event/8000',
    'a=candidate:1 1 udp 2113937151 127.0.0.1 40000 typ host',
    '',
  ].join('\r\n');
