/** Rings people for an alarm, speaks it, takes a key; and the caller (baresip) that drills use too. */
import type { Ground, Part } from './ground.ts';
import type { PlanBook } from './plan.part.ts';

export type CallOrder = {
  /** What is dialled, as from a phone of the box. */
  to: string;
  ringMsMax: number;
  /** WAV, 8 kHz mono 16-bit: played from the answer on, again after a pause, until the call ends. */
  wav: string | undefined;
  talkMsMax: number;
  /** Ends the call when it answers true. */
  onDigit?(digit: string): boolean;
  /** Further headers of the INVITE, e.g. where a drill calls from. */
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
};
export type CallOutcome = {
  outcome: 'answered' | 'no_answer' | 'busy' | 'declined' | 'failed';
  code: number | undefined;
  reason: string;
  answeredMs: number | undefined;
  digits: string;
};
/** Calls as the box itself. At most so many at once as its bound; further ones wait. */
export type Caller = { call(order: CallOrder): Promise<CallOutcome> };

export function createAlarmCallsPart(_ground: Ground, _book: PlanBook): { part: Part; caller: Caller } {
  throw new Error('not yet');
}
