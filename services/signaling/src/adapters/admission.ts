/**
 * Who may connect: a fresh feed, a well-formed handshake, a valid access token, and room left for this user.
 * A refusal reaches the console as `connect_error` with the code as message and `{code, detail}` as data.
 */
import { SocketAuth, type AccessClaims } from '@siphera/contract';
import { AppError, type TokenVerifier } from '@siphera/runtime';
import type { ExtendedError } from 'socket.io';
import type { ConsoleSocket, Io } from './socket-server.ts';

export type AdmissionOptions = {
  verifier: TokenVerifier;
  isFeedFresh: () => boolean;
  socketsMax: number;
  socketsPerUserMax: number;
  nowMs: () => number;
  onRefused: (reason: string, error: AppError) => void;
};

/** `stale_feed` beside the codes of the contract: core was not heard for ten seconds, so a token may be revoked unheard. */
type RefusalCode = AppError['code'] | 'stale_feed';

export function admit(io: Io, options: AdmissionOptions): void {
  io.use((socket, next) => {
    check(io, socket, options).then(
      (claims) => {
        socket.data.claims = claims;
        socket.data.renewedAtMs = options.nowMs();
        next();
      },
      (error: unknown) => next(refuse(error, options)),
    );
  });
}

async function check(io: Io, socket: ConsoleSocket, options: AdmissionOptions): Promise<AccessClaims> {
  if (!options.isFeedFresh())
    throw new AppError('unavailable', 'The box is starting or its core is silent.', {
      extra: { reason: 'stale_feed' },
    });
  const auth = SocketAuth.safeParse(socket.handshake.auth);
  if (!auth.success) throw new AppError('validation_failed', 'The handshake carries no usable token.');
  const claims = await options.verifier.verify(auth.data.token);
  if (io.of('/').sockets.size >= options.socketsMax) throw new AppError('overloaded', 'Too many consoles.');
  if (socketsOf(io, claims.sub) >= options.socketsPerUserMax)
    throw new AppError('rate_limited', 'This user has too many consoles open.');
  return claims;
}

export const socketsOf = (io: Io, sub: string): number =>
  [...io.of('/').sockets.values()].filter((socket) => socket.data.claims.sub === sub).length;

function refuse(raw: unknown, options: AdmissionOptions): ExtendedError {
  const error =
    raw instanceof AppError
      ? raw
      : new AppError('internal', 'The token could not be checked.', { cause: raw });
  const code: RefusalCode = error.extra['reason'] === 'stale_feed' ? 'stale_feed' : error.code;
  options.onRefused(code, error);
  return Object.assign(new Error(code), { data: { code, detail: error.message } });
}
