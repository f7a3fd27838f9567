/** Steps that others are made of: nothing, a changed call, the end of one with what has to be recorded. */
import type { CallRecord } from '../api.ts';
import type { CallContent } from '../content.ts';
import type { Call, CallEffect, CallEnd, CallState, CallStep } from './call-types.ts';

export const same = (state: CallState): CallStep => ({ state, effects: [] });
export const withCall = (state: CallState, call: Call, effects: CallEffect[] = []): CallStep => ({
  state: { ...state, call },
  effects,
});

export function finish(
  state: CallState,
  call: Call,
  reason: CallEnd,
  at: number,
  effects: CallEffect[],
  byPeer = false,
): CallStep {
  const over: Call = { ...call, phase: 'ended', end: { reason, byPeer } };
  const outcome = outcomeOf(call, reason);
  return {
    state: { ...state, call: over },
    effects: [
      { do: 'ring', on: false },
      { do: 'ringback', on: false },
      { do: 'close_media' },
      ...effects,
      ...(outcome === null ? [] : [record(call, outcome, at)]),
    ],
  };
}

/** Null: another device of mine has it in its history, which all of them share. */
function outcomeOf(call: Call, reason: CallEnd): CallRecord['outcome'] | null {
  if (call.connectedAt !== null) return 'answered';
  if (reason === 'answered_elsewhere' || reason === 'declined_elsewhere' || reason === 'glare') return null;
  if (reason === 'declined') return 'declined';
  if (reason === 'failed') return 'failed';
  return 'missed';
}

export const record = (call: Call, outcome: CallRecord['outcome'], at: number): CallEffect => ({
  do: 'record',
  peerId: call.peerId,
  record: {
    callId: call.id,
    media: call.media,
    direction: call.direction,
    outcome,
    durationMs: call.connectedAt === null ? 0 : Math.max(0, at - call.connectedAt),
    startedAt: call.startedAt,
    incidentId: call.incidentId,
  },
});

export const endOf = (callId: string, reason: CallEnd): CallContent => ({
  t: 'call',
  act: 'end',
  call_id: callId,
  reason,
});
