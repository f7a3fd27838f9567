/**
 * Swaps the access token of an open socket. Other grants than before move it to other rooms at once, without a gap: it is
 * placed anew at the position it has been sent up to.
 */
import { SocketAuth, type AccessClaims } from '@siphera/contract';
import { AppError, type Logger, type TokenVerifier } from '@siphera/runtime';
import { roomsOfGrants, viewKey } from '../domain/rooms.ts';
import type { ConsoleSocket } from './socket-server.ts';

/** A token lives for minutes; more often than this nobody needs to swap it. */
const renewalMsMin = 1_000;

export type Placement = {
  place: (socket: ConsoleSocket, after: number | undefined) => void;
  displace: (socket: ConsoleSocket) => number | undefined;
};

type RenewalOptions = {
  hub: Placement;
  verifier: TokenVerifier;
  log: Logger;
  /** Monotonic. */
  nowMs: () => number;
};

export function acceptRenewals(socket: ConsoleSocket, options: RenewalOptions): void {
  socket.on('renew', (token: unknown, done: unknown) => {
    const answer = typeof done === 'function' ? (done as (result: unknown) => void) : () => undefined;
    renew(socket, token, options).then(
      () => answer({ ok: true }),
      (error: unknown) => {
        const code = error instanceof AppError ? error.code : 'internal';
        options.log.info('renewal_refused', { user: socket.data.claims.sub, reason: code });
        answer({ ok: false, reason: code });
      },
    );
  });
}

async function renew(socket: ConsoleSocket, token: unknown, options: RenewalOptions): Promise<void> {
  const parsed = SocketAuth.shape.token.safeParse(token);
  if (!parsed.success) throw new AppError('validation_failed', 'That is not a token.');
  const nowMs = options.nowMs();
  if (nowMs - socket.data.renewedAtMs < renewalMsMin)
    throw new AppError('rate_limited', 'The token was swapped a moment ago.');
  socket.data.renewedAtMs = nowMs;
  const claims = await options.verifier.verify(parsed.data);
  if (!socket.connected) throw new AppError('unavailable', 'The socket was closed meanwhile.');
  if (claims.sub !== socket.data.claims.sub) throw new AppError('forbidden', 'A socket stays with its user.');
  const moves = placeOf(claims) !== placeOf(socket.data.claims);
  socket.data.claims = claims;
  if (moves) options.hub.place(socket, options.hub.displace(socket));
}

const placeOf = (claims: AccessClaims): string => viewKey(roomsOfGrants(claims.grants));
