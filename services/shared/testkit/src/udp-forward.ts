/**
 * Carries UDP, and one TCP port, between a test's own network and its namespace: `node udp-forward.ts <json>` inside,
 * `forwardUdp` outside. Loopback of one is not loopback of the other, and ffmpeg sends to Janus over loopback.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';

export type UdpRoute = { from: string; to: string; ports: readonly number[] };

export async function forwardUdp({ from, to, ports }: UdpRoute): Promise<() => void> {
  const out = createSocket('udp4');
  out.on('error', () => undefined);
  const sockets = await Promise.all(
    ports.map(async (port): Promise<Socket> => {
      const socket = createSocket('udp4', (packet) => out.send(packet, port, to));
      socket.bind(port, from);
      await once(socket, 'listening');
      return socket;
    }),
  );
  return () => {
    for (const socket of [...sockets, out]) socket.close();
  };
}

async function forwardTcp(from: string, port: number): Promise<void> {
  const server = createServer((near) => {
    const far = createConnection(port, '127.0.0.1');
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
  });
  server.listen(port, from);
  await once(server, 'listening');
}

if (import.meta.main) {
  const { address, tcpPort, udpPorts } = JSON.parse(process.argv[2] ?? '') as {
    address: string;
    tcpPort: number;
    udpPorts: number[];
  };
  await forwardTcp(address, tcpPort);
  await forwardUdp({ from: address, to: '127.0.0.1', ports: udpPorts });
  console.log('forwarding');
}
