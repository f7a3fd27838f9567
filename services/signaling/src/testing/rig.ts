/** Signaling as a real process between a feed server and real consoles, for its integration tests. */
import { join } from 'node:path';
import type { ClientToServer, FeedEntry, ServerToClient, SocketBye, SocketFrame } from '@siphera/contract';
import type { TlsFiles } from '@siphera/runtime';
import { exchange, startSignaling, tempDir, type SignalingService } from '@siphera/testkit';
import { io, type Socket } from 'socket.io-client';
import { startFeedServer, type FeedServer } from './feed-server.ts';

const publicOrigin = 'https://box.test';

export type Rig = AsyncDisposable & {
  core: FeedServer;
  signaling: SignalingService;
  url: string;
  coreAddress: string;
};

export type RigOptions = {
  env?: Record<string, string>;
  coreAddress?: string;
  coreTls?: TlsFiles;
};

export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const dir = await tempDir('sig');
  const coreAddress = options.coreAddress ?? `unix:${join(dir.path, 'core.sock')}`;
  const core = await startFeedServer(coreAddress, options.coreTls);
  const signaling = await startSignaling({
    dir: dir.path,
    internalUrl: core.url,
    publicOrigins: [publicOrigin],
    env: { LOG_LEVEL: 'debug', ...options.env },
  });
  return {
    core,
    coreAddress,
    signaling,
    url: `http://127.0.0.1:${signaling.port}`,
    [Symbol.asyncDispose]: async () => {
      await signaling.daemon.stop();
      await core.close();
      await dir.remove();
    },
  };
}

/** A console that comes back by itself with the position of its last frame, as the web console does. */
export type TestConsole = Disposable & {
  socket: Socket<ServerToClient, ClientToServer>;
  frames: SocketFrame[];
  entries: FeedEntry[];
  byes: SocketBye[];
  refusals: string[];
  upto: () => number | undefined;
};

export type TestConsoleOptions = { token: string; after?: number; origin?: string; transports?: string[] };

export function openConsole(url: string, options: TestConsoleOptions): TestConsole {
  const seen: Omit<TestConsole, 'socket' | 'upto' | typeof Symbol.dispose> = {
    frames: [],
    entries: [],
    byes: [],
    refusals: [],
  };
  let upto = options.after;
  const socket: Socket<ServerToClient, ClientToServer> = io(url, {
    transports: options.transports ?? ['websocket'],
    forceNew: true,
    reconnectionDelay: 50,
    reconnectionDelayMax: 100,
    extraHeaders: { origin: options.origin ?? publicOrigin },
    auth: (send) => send({ token: options.token, ...(upto === undefined ? {} : { after: upto }) }),
  });
  socket.on('frame', (frame) => {
    upto = frame.upto;
    seen.frames.push(frame);
    seen.entries.push(...frame.entries);
  });
  socket.on('bye', (bye) => seen.byes.push(bye));
  socket.on('connect_error', (error) => seen.refusals.push(error.message));
  return { ...seen, socket, upto: () => upto, [Symbol.dispose]: () => void socket.disconnect() };
}

/** The sample of a metric line that starts with `name`. */
export async function metric(rig: Rig, name: string): Promise<number> {
  const answer = await exchange(`http://127.0.0.1:${rig.signaling.metricsPort}/metrics`);
  const line = answer.body
    .toString()
    .split('\n')
    .find((text) => text.startsWith(name));
  return Number(line?.split(' ').at(-1) ?? Number.NaN);
}
