/** Whether a camera's port answers at all: asked before ffmpeg is started for a camera that was lost, because that costs a hundred times more. */
import { connect } from 'node:net';

const waitMs = 3_000;

/** Undefined when it answers, else what the kernel says (e.g. ECONNREFUSED, ETIMEDOUT). Addresses without host are not asked. */
export function reach(url: string): Promise<string | undefined> {
  const address = hostOf(url);
  if (!address) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const socket = connect(address);
    const done = (why: string | undefined): void => {
      socket.destroy();
      resolve(why);
    };
    socket.setTimeout(waitMs, () => done('ETIMEDOUT'));
    socket.once('connect', () => done(undefined));
    socket.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
  });
}

function hostOf(url: string): { host: string; port: number } | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (host === '') return undefined;
  return { host, port: port === '' ? (protocol === 'rtsps:' ? 322 : 554) : Number(port) };
}
