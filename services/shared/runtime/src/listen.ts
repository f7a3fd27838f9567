/** Opens a listener on `host:port` or `unix:/path`, with the limits every listener of the box has. */
import { chmodSync, existsSync, readFileSync, unlinkSync } from 'node:fs';
import { createServer as createHttp, type RequestListener, type Server } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createConnection } from 'node:net';

export type TlsFiles = { certFile: string; keyFile: string; caFile: string };

export type Listener = { server: Server; port: number; close(): Promise<void> };

export type ListenLimits = {
  /** A slow sender has this long for its headers; a slow-loris client is cut. */
  headersTimeoutMs: number;
  /** And this long for the whole request. */
  requestTimeoutMs: number;
  /** How often the two are looked at: Node's own half a minute would let a slow one stay four times as long. */
  checkEveryMs: number;
};
const usualLimits: ListenLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  checkEveryMs: 2_000,
};
const connectionsMax = 2_000;

/**
 * With `tls` the listener takes only clients whose certificate the CA signed (mTLS).
 * A stale unix socket is removed; one that another process answers on is an error.
 */
export async function startListener(
  address: string,
  handler: RequestListener,
  tls?: TlsFiles,
  limits: ListenLimits = usualLimits,
): Promise<Listener> {
  const options = {
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: limits.checkEveryMs,
  };
  const server = tls
    ? createHttps(
        {
          ...options,
          cert: readFileSync(tls.certFile),
          key: readFileSync(tls.keyFile),
          ca: readFileSync(tls.caFile),
          requestCert: true,
          rejectUnauthorized: true,
        },
        handler,
      )
    : createHttp(options, handler);
  server.maxConnections = connectionsMax;
  await listen(server, address);
  const bound = server.address();
  return {
    server,
    port: typeof bound === 'object' && bound ? bound.port : 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function listen(server: Server, address: string): Promise<void> {
  if (address.startsWith('unix:')) {
    const path = address.slice('unix:'.length);
    await removeStaleSocket(path);
    await once(server, (done) => server.listen(path, done));
    // Its own user and group only: whoever can open it is a service of the box.
    chmodSync(path, 0o660);
    return;
  }
  const split = address.lastIndexOf(':');
  await once(server, (done) =>
    server.listen(Number(address.slice(split + 1)), address.slice(0, split), done),
  );
}

function once(server: Server, start: (done: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    start(() => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function removeStaleSocket(path: string): Promise<void> {
  if (!existsSync(path)) return;
  const alive = await new Promise<boolean>((resolve) => {
    const probe = createConnection(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
  if (alive) throw new Error(`Another process already listens on ${path}`);
  unlinkSync(path);
}
