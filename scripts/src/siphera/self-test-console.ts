/** A console as a browser opens it: the realtime socket through the front door, by the box's host name, over TLS. */
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { isIP } from 'node:net';
import { lookup } from 'node:dns/promises';
import type { ClientToServer, FeedEntry, InternalSelfTest, ServerToClient } from '@siphera/contract';
import { AppError } from '@siphera/runtime';
import { io, type Socket } from 'socket.io-client';
import type { z } from 'zod';
import { type BoxPlace, pkiFile, publicUrl } from './box.ts';

export type SelfTestKit = z.infer<typeof InternalSelfTest>;
export type Seen = { entry: FeedEntry; atMs: number };
export type TestConsole = AsyncDisposable & {
  /** The first entry from now on that fits; undefined when none came in time. */
  waitFor: (fits: (entry: FeedEntry) => boolean, msMax: number) => Promise<Seen | undefined>;
};

const connectMsMax = 10_000;

/** Trusts the box's CA and the certificate on disk (which may be the admin's own), and nothing else. */
export async function frontAgent(box: BoxPlace): Promise<Agent> {
  // In Compose the front door is another container; on a box without DNS its name resolves nowhere but here.
  const address = isIP(box.front.host) ? box.front.host : (await lookup(box.front.host, 4)).address;
  return new Agent({
    ca: [readFileSync(pkiFile(box, 'ca', 'ca.crt')), readFileSync(pkiFile(box, 'front', 'front.crt'))],
    allowPartialTrustChain: true,
    servername: box.hostName,
    port: box.front.port,
    lookup: (_name, options, done) => {
      if (options.all === true) done(null, [{ address, family: 4 }]);
      else done(null, address, 4);
    },
  });
}

export async function connectTestConsole(box: BoxPlace, kit: SelfTestKit): Promise<TestConsole> {
  const waiting = new Set<(entry: FeedEntry) => void>();
  const agent = await frontAgent(box);
  const socket: Socket<ServerToClient, ClientToServer> = io(`https://${box.hostName}:${box.front.port}`, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth: { token: kit.access_token },
    extraHeaders: { origin: publicUrl(box) },
    // The types know only the browser's option; engine.io-client hands it to https in Node.
    agent: agent as unknown as string,
  });
  socket.on('frame', ({ entries }) => {
    for (const entry of entries) for (const hear of waiting) hear(entry);
  });
  await connected(socket).catch((error: unknown) => {
    socket.disconnect();
    throw error;
  });
  return {
    waitFor: (fits, msMax) =>
      new Promise((resolve) => {
        const end = (seen: Seen | undefined): void => {
          waiting.delete(hear);
          clearTimeout(timer);
          resolve(seen);
        };
        const hear = (entry: FeedEntry): void => {
          if (fits(entry)) end({ entry, atMs: performance.now() });
        };
        const timer = setTimeout(() => end(undefined), msMax);
        waiting.add(hear);
      }),
    [Symbol.asyncDispose]: async () => {
      socket.disconnect();
      agent.destroy();
      await Promise.resolve();
    },
  };
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (why: string): void =>
      reject(
        new AppError('unavailable', `The console socket could not be opened through the front door: ${why}`),
      );
    const timer = setTimeout(() => refuse('no answer'), connectMsMax);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.once('connect_error', (error) => {
      clearTimeout(timer);
      // socket.io hides the reason (a refused certificate, a closed port) in `description`.
      const { description } = error as Error & { description?: { message?: string } };
      refuse(description?.message ?? error.message);
    });
  });
}
