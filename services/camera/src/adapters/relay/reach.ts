/** Whether a camera's port answers at all: asked before ffmpeg is started for a camera that was lost, because that costs a hundred times more. */
import { connect } from 'node:net';
import type { CameraNetwork } from '../camera-network.ts';

const waitMs = 3_000;

/** Undefined when it answers, else what the kernel says (e.g. ECONNREFUSED, ETIMEDOUT). Addresses without host are not asked. */
export async function reach(url: string, network: CameraNetwork): Promise<string | undefined> {
  const at = endOf(url);
  if (!at) return undefined;
  let host: string;
  try {
    host = (await network.address(at.host)).address;
  } catch {
    // Connecting says why.
    return undefined;
  }
  return new Promise((resolve) => {
    const socket = connect({ host, port: at.port });
    const done = (why: string | undefined): void => {
      socket.destroy();
      resolve(why);
    };
    socket.setTimeout(waitMs, () => done('ETIMEDOUT'));
    socket.once('connect', () => done(undefined));
    socket.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
  });
}

function endOf(url: string): { host: string; port: number } | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (host === '') return undefined;
  return { host, port: port === '' ? (protocol === 'rtsps:' ? 322 : 554) : Number(port) };
}
