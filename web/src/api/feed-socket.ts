/**
 * The socket of signaling as a transport of the realtime link. socket.io brings reconnection; its in-memory recovery is not
 * used, the feed's own position is. The library is loaded after sign-in, outside the first bundle.
 */
import type { ClientToServer, ServerToClient } from '@siphera/contract';
import type { Socket } from 'socket.io-client';
import type { SocketEvents, SocketHandle } from '#api/realtime-link.ts';
import type { TalkWire } from '#api/talk-wire.ts';

export type FeedSocketOptions = {
  token: () => string | undefined;
  after: () => number | undefined;
  events: SocketEvents;
  /** Talk goes over the same socket. */
  talkWire?: TalkWire;
};

/** Codes of a refusal that a fresh token mends. */
const tokenRefusals = new Set(['unauthenticated', 'session_expired']);
const reconnectMs = 500;
/** A console must be back within seconds of the service, also after a long outage. */
const reconnectMsMax = 3_000;

export function openFeedSocket(options: FeedSocketOptions): SocketHandle {
  let socket: Socket<ServerToClient, ClientToServer> | undefined;
  let closed = false;
  let unbindTalk: (() => void) | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;

  const reconnectSoon = (): void => {
    clearTimeout(retry);
    retry = setTimeout(() => {
      if (!closed) socket?.connect();
    }, reconnectMsMax);
  };

  void import('socket.io-client').then(({ io }) => {
    if (closed) return;
    socket = io({
      path: '/socket.io',
      transports: ['websocket'],
      reconnectionDelay: reconnectMs,
      reconnectionDelayMax: reconnectMsMax,
      auth: (send) => send({ token: options.token() ?? '', after: options.after() }),
    });
    unbindTalk = options.talkWire?.bind(socket);
    socket.on('frame', (frame) => options.events.frame(frame));
    socket.on('bye', ({ reason }) => options.events.bye(reason));
    // After a refusal or a server-side close socket.io leaves reconnecting to us.
    socket.on('connect_error', (error) => {
      if (socket?.active) return;
      // Any other refusal (a busy box, a stale feed) is waited out; a new token would not help.
      if (tokenRefusals.has(error.message)) options.events.refused();
      reconnectSoon();
    });
    socket.on('disconnect', (reason) => {
      if (reason === 'io server disconnect') reconnectSoon();
    });
  });

  return {
    close: () => {
      closed = true;
      clearTimeout(retry);
      unbindTalk?.();
      socket?.disconnect();
    },
    renew: (token) => {
      if (socket?.connected) {
        socket.emit('renew', token, ({ ok }) => {
          if (!ok) socket?.disconnect().connect();
        });
      } else if (socket && !socket.active) socket.connect();
    },
  };
}
