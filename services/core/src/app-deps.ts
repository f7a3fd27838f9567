/** What HTTP handlers stand on. They run in the HTTP thread, hold no state of record, and write only through `box`. */
import type { AccessClaims } from '@siphera/contract';
import type { Clock, Logger, Metrics, Random, Sqlite } from '@siphera/runtime';
import type { Config } from './config.ts';
import { actorFromClaims } from './kernel/actor.ts';
import type { Box, CallContext } from './kernel/box.ts';
import type { FeedHub } from './kernel/feed-hub.ts';
import type { Status } from './kernel/status.ts';
import type { ReadCases } from './read-cases.ts';
import type { WriteCases } from './write-cases.ts';

export type CoreBox = Box<WriteCases, ReadCases>;

export type AppDeps = {
  config: Config;
  box: CoreBox;
  hub: FeedHub;
  /** Read-only, for look-ups by key; anything longer goes through `box.read`. */
  db: Sqlite;
  log: Logger;
  metrics: Metrics;
  status: Status;
  clock: Clock;
  random: Random;
};

type SignedInCall = {
  caller: { claims: AccessClaims };
  address: string;
  traceId: string;
  idempotencyKey: string | undefined;
};

/** Who calls and under which trace, as use cases take it. */
export const contextOf = (call: SignedInCall): CallContext => ({
  actor: actorFromClaims(call.caller.claims, call.address),
  traceId: call.traceId,
  idempotencyKey: call.idempotencyKey,
});
