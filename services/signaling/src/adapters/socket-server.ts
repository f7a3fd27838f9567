/** The socket.io server with the limits of the box. It carries tokens in the handshake's payload, never in cookies. */
import type { IncomingMessage } from 'node:http';
import type { AccessClaims, ClientToServer, ServerToClient, SocketBye } from '@siphera/contract';
import { Server, type Socket } from 'socket.io';
import type { DeviceKey } from '../domain/device.ts';
import type { Member } from '../domain/lane.ts';

export type SocketData = {
  claims: AccessClaims;
  member: Member;
  renewedAtMs: number;
  /** Whose queue is open on it. */
  device?: DeviceKey | undefined;
};
type NoEvents = Record<string, never>;
export type Io = Server<ClientToServer, ServerToClient, NoEvents, SocketData>;
export type ConsoleSocket = Socket<ClientToServer, ServerToClient, NoEvents, SocketData>;
export type ByeReason = SocketBye['reason'];

/** Consoles send a handshake, a token (8 KiB at most) or a position, and nothing else. */
const messageBytesMax = 16 * 1024;
/** A dead peer is noticed after 15 s; the consoles themselves notice silence by the frames, after two. */
const pingIntervalMs = 10_000;
const pingTimeoutMs = 5_000;
/** From the transport's opening to a valid handshake. */
const handshakeMsMax = 5_000;

/** To be attached to an HTTP server when connections may come. */
export function createSocketServer(options: {
  origins: readonly string[];
  socketsMax: number;
  onRefused: (reason: string) => void;
}): Io {
  const io: Io = new Server({
    transports: ['websocket', 'polling'],
    serveClient: false,
    maxHttpBufferSize: messageBytesMax,
    pingInterval: pingIntervalMs,
    pingTimeout: pingTimeoutMs,
    connectTimeout: handshakeMsMax,
    upgradeTimeout: handshakeMsMax,
    perMessageDeflate: false,
    httpCompression: false,
    allowRequest: (request, done) => {
      const reason = refusal(request, io, options);
      if (reason !== undefined) options.onRefused(reason);
      done(reason ?? null, reason === undefined);
    },
  });
  return io;
}

/**
 * A page of another origin is turned away. No `Origin` at all is no page: it has no way to a token but its own, and a
 * browser leaves the header out of same-origin polling.
 */
function refusal(
  request: IncomingMessage,
  io: Io,
  options: { origins: readonly string[]; socketsMax: number },
): string | undefined {
  const { origin } = request.headers;
  if (origin !== undefined && !options.origins.includes(origin)) return 'origin';
  const isNew = !/[?&]sid=/.test(request.url ?? '');
  if (isNew && io.engine.clientsCount >= options.socketsMax) return 'full';
  return undefined;
}

/** Bytes and packets that wait for a socket because its peer does not read. */
export function backpressure(socket: ConsoleSocket): { packets: number; bytes: number } {
  // The buffer is documented at runtime (`socket.conn.writeBuffer`) but private in the type declarations.
  const conn = socket.conn as unknown as {
    writeBuffer: { data?: string | Buffer }[];
    transport: { socket?: { bufferedAmount?: number } };
  };
  const waiting = conn.writeBuffer;
  const inTransport = conn.transport.socket?.bufferedAmount ?? 0;
  return {
    packets: waiting.length,
    bytes: waiting.reduce((sum, packet) => sum + (packet.data?.length ?? 0), inTransport),
  };
}

/** A peer that has not taken the goodbye by then is cut off without one. */
const goodbyeMsMax = 1_000;

/** Says why, closes, and makes sure that nothing of the connection is left when the peer does not answer. */
export function closeSocket(socket: ConsoleSocket, reason: ByeReason): void {
  socket.emit('bye', { reason });
  socket.disconnect(true);
  const conn = socket.conn as unknown as {
    readyState: string;
    close: (discard: boolean) => void;
    transport: { socket?: { terminate?: () => void } };
  };
  setTimeout(() => {
    const { transport } = conn;
    if (conn.readyState !== 'closed') conn.close(true);
    transport.socket?.terminate?.();
  }, goodbyeMsMax).unref();
}
