/**
 * Free loopback ports. They are taken below the kernel's ephemeral range, so that no outgoing connection of another test
 * can land on one between the look and the use. What must stay true: of all processes that ask here a port is one's alone
 * until that one ends, also before its daemon listens and while its daemon is restarted.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

const first = 13_000;
const count = 18_000;
let next = (process.pid * 131) % count;

/** A port on which nothing listens by TCP or UDP. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < count; tried += 1) {
    const port = first + next;
    next = (next + 1) % count;
    if (await isFree(port)) return port;
  }
  throw new Error('No free loopback port left');
}

/** So many, one after the other, for what takes a range. */
export async function freePorts(length: number): Promise<number[]> {
  let found: number[] = [];
  while (found.length < length) {
    const port = await freePort();
    found = found.at(-1) === port - 1 ? [...found, port] : [port];
  }
  return found;
}

const isFree = async (port: number): Promise<boolean> =>
  (await claim(port)) && (await tcpFree(port)) && (await udpFree(port));

/** By an abstract socket of Linux, which has no file and goes with the process. */
async function claim(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(`\0siphera-test-port-${port}`);
    await once(server, 'listening');
    server.unref();
    return true;
  } catch {
    // EADDRINUSE: another test process has it.
    server.close();
    return false;
  }
}

async function tcpFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    // EADDRINUSE: somebody else has it, the next one may be free.
    return false;
  } finally {
    server.close();
  }
}

async function udpFree(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    return true;
  } catch {
    // As above; dgram closes by itself only on success.
    return false;
  } finally {
    socket.close();
  }
}
