/** Asks a media relay (rtpengine, ng protocol over UDP) which calls it carries. */
import { createSocket } from 'node:dgram';
import { bdecode, bencode } from '../domain/bencode.ts';

const answerMsMax = 1_000;
/** More calls than a box carries. */
const callsMax = 2_000;

/** @param cookie another one each time: a relay answers the same one with what it said before. @returns Call-IDs; undefined when the relay does not answer, or says nothing that can be read. */
export async function relayCalls(address: string, cookie: string): Promise<ReadonlySet<string> | undefined> {
  const bytes = await ask(address, `${cookie} ${bencode({ command: 'list', limit: callsMax })}`);
  if (!bytes) return undefined;
  try {
    const answer = bdecode(bytes.subarray(bytes.indexOf(' ') + 1));
    const calls = typeof answer === 'object' && !Array.isArray(answer) ? answer['calls'] : undefined;
    if (!Array.isArray(calls)) return undefined;
    return new Set(calls.filter((call) => typeof call === 'string'));
  } catch {
    return undefined;
  }
}

/** One datagram out, one in. */
function ask(address: string, request: string): Promise<Buffer | undefined> {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replaceAll(/[[\]]/g, '');
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  return new Promise((resolve) => {
    const end = (bytes?: Buffer): void => {
      clearTimeout(timer);
      socket.close();
      resolve(bytes);
    };
    const timer = setTimeout(end, answerMsMax);
    socket.once('error', () => end());
    socket.once('message', (bytes) => end(bytes));
    // Connected: a port where nobody listens is told at once, and nobody else can answer.
    socket.connect(Number(address.slice(colon + 1)), host, () => socket.send(request));
  });
}
