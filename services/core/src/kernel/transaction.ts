/** What code inside a write gets: the connection, one time for all of it, and the feed. */
import type { FeedKind, Permission } from '@siphera/contract';
import type { Random, Sqlite } from '@siphera/runtime';
import type { Actor } from './actor.ts';

export type ChangeInput = {
  kind: FeedKind;
  action: 'created' | 'updated' | 'deleted';
  id: string;
  orgId: string;
  audience: Permission;
  scopes: readonly string[];
  traceId?: string | undefined;
  data?: unknown;
};

export type Tx = {
  db: Sqlite;
  random: Random;
  /** UTC ms; the same for everything in one commit, and not smaller than in the commit before unless the clock was set back. */
  nowMs: number;
  /** Takes the next feed position. */
  nextSeq(): number;
  /** Appends to the feed; it is heard after the commit. @returns its position */
  change(input: ChangeInput): number;
  /** Runs after the commit that holds this; never when it rolled back. */
  afterCommit(hook: () => void): void;
};

export type WriteContext = Tx & { actor: Actor; traceId: string };
export type ReadContext = { db: Sqlite; nowMs: number; actor: Actor; traceId: string };

export type WriteCase<I, O> = (context: WriteContext, input: I) => O;
export type ReadCase<I, O> = (context: ReadContext, input: I) => O;
