/** Messages of the realtime socket (socket.io, path `/socket.io`). The same lines come over SSE at `/api/v1/stream`. */
import { z } from 'zod';
import { FeedLine } from './feed.ts';
import { FeedSeq } from './primitives.ts';
import type { Presence, QueueBatch, TalkReads } from './rest/talk.ts';
import { TalkDeviceId } from './rest/talk.ts';

/** One frame per room and this many milliseconds: 200 consoles at 1,000 events/s cost 9 % of a core this way. */
export const frameIntervalMs = 50;
/** After this much silence from signaling a console reads core's SSE directly, under a red bar. */
export const silenceMsMax = 2_000;
/** Signaling sends a frame, an empty one if need be, at least this often. */
export const heartbeatMs = 1_000;

/** `auth` of the socket.io handshake. `after` is the last `upto` the client has; absent on a first connect. */
export const SocketAuth = z.object({ token: z.string().max(8_192), after: FeedSeq.optional() });
export type SocketAuth = z.infer<typeof SocketAuth>;

export const SocketFrame = FeedLine;
export type SocketFrame = z.infer<typeof SocketFrame>;

/** Sent before the server closes a socket, so that the console can say why. */
export const SocketBye = z.object({
  reason: z.enum(['revoked', 'expired', 'stale_feed', 'shutting_down', 'too_slow', 'gap']),
});
export type SocketBye = z.infer<typeof SocketBye>;

/**
 * Opens the queue of an attached device on this socket. One socket at a time has it: who opens it takes it over. Batches then
 * come as `talk`; the next one after `talkDone(upto)`, and nothing is forgotten before that.
 */
export const TalkOpen = z.object({ device_id: TalkDeviceId });
export const TalkDone = z.int().nonnegative();
export const TalkGone = z.object({
  reason: z.enum(['removed', 'elsewhere', 'not_attached']).meta({
    description:
      '`removed`: wipe the store; `elsewhere`: another tab took over; `not_attached`: prove the device first',
  }),
});
export type TalkGone = z.infer<typeof TalkGone>;

/** server → client */
export type ServerToClient = {
  frame: (frame: SocketFrame) => void;
  bye: (bye: SocketBye) => void;
  talk: (batch: z.infer<typeof QueueBatch>) => void;
  talkGone: (gone: TalkGone) => void;
  /** All on opening, then what changed. Sent to sockets with an open queue only. */
  presence: (changed: z.infer<typeof Presence>[]) => void;
  reads: (reads: z.infer<typeof TalkReads>) => void;
};
/** client → server. `renew` swaps the access token before it expires, without a new connection. */
export type ClientToServer = {
  renew: (token: string, done: (result: { ok: boolean; reason?: string }) => void) => void;
  talkOpen: (
    open: z.infer<typeof TalkOpen>,
    done: (result: { ok: boolean; reason?: string }) => void,
  ) => void;
  talkDone: (upto: number) => void;
};
