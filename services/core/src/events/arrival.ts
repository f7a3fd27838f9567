/** Something that came in and wants to be an event. */
import type { AppendResult } from '@siphera/contract';
import type { z } from 'zod';
import type { DeadLetter } from '@siphera/contract';

export type Arrival = {
  channel: z.infer<typeof DeadLetter>['channel'];
  /** Authenticated sender; with source and id it is the identity that duplicates are found by. */
  origin: string;
  orgId: string;
  /** Where it belongs when neither device nor area says so. */
  siteId?: string;
  /** The agent whose certificate sent it, for MQTT: it may speak for itself and for what hangs on it. */
  agentId?: string;
  /** What an API key may write to; undefined is everywhere in the org. */
  maySpeakFor?: (scopes: readonly string[]) => boolean;
  value: unknown;
  /** Size of the payload as it came. */
  bytes: number;
  mark?: 'retained' | 'replayed';
  traceId?: string;
};

export type DeadCode = z.infer<typeof DeadLetter>['code'];
export type Verdict = AppendResult;
