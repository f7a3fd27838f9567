/** A console as a test sees it: the realtime socket, all frames and entries it got, and a way to wait for one. */
import { Agent } from 'node:https';
import type { ClientToServer, FeedEntry, ServerToClient, SocketBye, SocketFrame } from '@siphera/contract';
import { io, type Socket } from 'socket.io-client';
import { callMsMax, framesMax } from './bounds.ts';
import { waitFor } from './wait.ts';

export type Console = AsyncDisposable & {
  socket: Socket<ServerToClient, ClientToServer>;
  frames: SocketFrame[];
  /** Entries of all frames, in the order they came. */
  entries: FeedEntry[];
  byes: SocketBye[];
  /** The first entry, past or to come, that fits. */
  waitFor: (what: string, fits: (entry: FeedEntry) => boolean, timeoutMs?: number) => Promise<FeedEntry>;
  close: () => Promise<void>;
};

export type ConsoleOptions = {
  /** Origin of the front door, or of signaling itself. */
  url: string;
  token: string;
  after?: number;
  ca?: string;
  /** Sent as `Origin`, as a browser would. */
  origin?: string;
  /** Off by default: a test that wants a reconnect says so. */
  reconnection?: boolean;
};

/** Connects, and waits until the server has taken the token. @throws when it refuses, with its reason. */
export async function connectConsole(options: ConsoleOptions): Promise<Console> {
  const socket: Socket<ServerToClient, ClientToServer> = io(options.url, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: options.reconnection ?? false,
    auth: { token: options.token, ...(options.after === undefined ? {} : { after: options.after }) },
    extraHeaders: { origin: options.origin ?? new URL(options.url).origin },
    ...(options.ca === undefined
      ? {}
      : { agent: loopbackAgent(options.ca) as unknown as string, ca: options.ca }),
  });
  const frames: SocketFrame[] = [];
  const entries: FeedEntry[] = [];
  const byes: SocketBye[] = [];
  socket.on('frame', (frame) => {
    if (frames.length < framesMax) frames.push(frame);
    if (entries.length < framesMax) entries.push(...frame.entries);
  });
  socket.on('bye', (bye) => byes.push(bye));
  const close = async () => {
    socket.disconnect();
    await Promise.resolve();
  };
  await connected(socket).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    socket,
    frames,
    entries,
    byes,
    waitFor: (what, fits, timeoutMs = callMsMax) => waitFor(what, () => entries.find(fits), timeoutMs),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function connected(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
}

/** Trusts the box's CA alone, and finds the box's host name on loopback. */
const loopbackAgent = (ca: string): Agent =>
  new Agent({
    ca,
    lookup: (_host, lookupOptions, done) => {
      if (lookupOptions.all === true) done(null, [{ address: '127.0.0.1', family: 4 }]);
      else done(null, '127.0.0.1', 4);
    },
  });
