/** Packets as somebody sends them who writes any address into them: one from each of many addresses of loopback, whose answers nobody reads. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { sipToken } from './sip-message.ts';

export type Flood = {
  /** How many addresses are left out. */
  first?: number;
  count: number;
  /** They are 127.0.<net>.1 and up, two hundred in each. */
  net: number;
  method: string;
  uri: string;
  agent?: string | undefined;
};

export async function fromMadeUpAddresses(
  server: { address: string; port: number },
  { first = 0, count, net, method, uri, agent = 'phone' }: Flood,
): Promise<void> {
  for (let index = first; index < first + count; index += 1) {
    const at = `127.0.${net + Math.floor(index / 200)}.${1 + (index % 200)}`;
    const socket = createSocket('udp4');
    socket.bind(0, at);
    await once(socket, 'listening');
    await new Promise((sent) =>
      socket.send(strangerPacket(method, at, uri, agent), server.port, server.address, sent),
    );
    socket.close();
  }
}

const strangerPacket = (method: string, at: string, uri: string, agent: string): string =>
  [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP ${at}:5060;branch=z9hG4bK${sipToken()};rport`,
    'Max-Forwards: 70',
    `From: <sip:x@siphera.test>;tag=${sipToken()}`,
    `To: <${uri}>`,
    `Call-ID: ${sipToken()}`,
    `CSeq: 1 ${method}`,
    `Contact: <sip:x@${at}>`,
    `User-Agent: ${agent}`,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
