/**
 * A call between two people as one device sees it: pure, so that glare, two devices that answer at once, and messages that come late
 * are tried without a microphone. What must stay true: a call rings nowhere after it ended for anybody, and a message of
 * another call or of a device that is not in it changes nothing.
 */
import type { CallContent } from '../content.ts';
import { message } from './call-messages.ts';
import { endOf, finish, same, withCall } from './call-steps.ts';
import {
  connectMsMax,
  reachMsMax,
  reconnectMsMax,
  ringMsMax,
  type Call,
  type CallEnd,
  type CallInput,
  type CallState,
  type CallStep,
} from './call-types.ts';

export const idleCalls = (me: string): CallState => ({ me, call: null });

/** One step. Whatever does not fit the present call changes nothing. */
export function callStep(state: CallState, input: CallInput): CallStep {
  switch (input.on) {
    case 'dial':
      return dial(state, input);
    case 'offer_made':
      return offerMade(state, input);
    case 'accept':
      return accept(state);
    case 'answer_made':
      return answerMade(state, input);
    case 'hang_up':
      return hangUp(state, input.at);
    case 'taken_by_tab':
      return takenByTab(state, input.id);
    case 'message':
      return message(state, input);
    case 'media':
      return media(state, input);
    case 'timer':
      return timer(state, input);
    case 'broken':
      return broken(state, input);
    case 'dismiss':
      return state.call?.phase === 'ended' ? { state: { ...state, call: null }, effects: [] } : same(state);
  }
}

const isOver = (call: Call | null): boolean => call === null || call.phase === 'ended';

function dial(state: CallState, input: Extract<CallInput, { on: 'dial' }>): CallStep {
  if (!isOver(state.call)) return same(state);
  const call: Call = {
    id: input.id,
    peerId: input.peerId,
    peerDevice: null,
    direction: 'out',
    media: input.media,
    incidentId: input.incidentId,
    phase: 'calling',
    startedAt: input.at,
    connectedAt: null,
    end: null,
    ringing: [],
    busy: [],
    unreached: false,
    offer: null,
  };
  return withCall(state, call, [
    { do: 'make_offer', id: call.id, media: call.media },
    { do: 'timer', name: 'ring', ms: ringMsMax },
    { do: 'timer', name: 'reach', ms: reachMsMax },
  ]);
}

function offerMade(state: CallState, { id, sdp }: Extract<CallInput, { on: 'offer_made' }>): CallStep {
  const { call } = state;
  if (call?.id !== id || call.phase !== 'calling') return same(state);
  const invite: CallContent = {
    t: 'call',
    act: 'invite',
    call_id: id,
    media: call.media,
    sdp,
    lifetime_ms: ringMsMax,
    ...(call.incidentId === null ? {} : { incident_id: call.incidentId }),
  };
  return withCall(state, call, [
    { do: 'send', userId: call.peerId, deviceId: null, content: invite, wake: true },
  ]);
}

function accept(state: CallState): CallStep {
  const { call } = state;
  if (call?.phase !== 'ringing' || call.direction !== 'in' || call.offer === null) return same(state);
  return withCall(state, { ...call, phase: 'connecting' }, [
    { do: 'ring', on: false },
    { do: 'make_answer', id: call.id, media: call.media, offer: call.offer },
    { do: 'timer', name: 'connect', ms: connectMsMax },
    // The other devices stop now, not when the answer has made its way.
    {
      do: 'send',
      userId: state.me,
      deviceId: null,
      content: endOf(call.id, 'answered_elsewhere'),
      wake: false,
    },
  ]);
}

function answerMade(state: CallState, { id, sdp }: Extract<CallInput, { on: 'answer_made' }>): CallStep {
  const { call } = state;
  if (call?.id !== id || call.phase !== 'connecting' || call.direction !== 'in') return same(state);
  const content: CallContent = { t: 'call', act: 'answer', call_id: id, sdp };
  return withCall(state, call, [
    { do: 'send', userId: call.peerId, deviceId: call.peerDevice, content, wake: false },
  ]);
}

function hangUp(state: CallState, at: number): CallStep {
  const { call } = state;
  if (call === null || call.phase === 'ended') return same(state);
  if (call.phase === 'ringing' && call.direction === 'in')
    return finish(state, call, 'declined', at, [
      {
        do: 'send',
        userId: call.peerId,
        deviceId: call.peerDevice,
        content: endOf(call.id, 'declined'),
        wake: false,
      },
      {
        do: 'send',
        userId: state.me,
        deviceId: null,
        content: endOf(call.id, 'declined_elsewhere'),
        wake: false,
      },
    ]);
  const reason: CallEnd = call.peerDevice === null ? 'cancelled' : 'hangup';
  return finish(state, call, reason, at, [
    {
      do: 'send',
      userId: call.peerId,
      deviceId: call.peerDevice,
      content: endOf(call.id, reason),
      wake: false,
    },
  ]);
}

function takenByTab(state: CallState, id: string): CallStep {
  const { call } = state;
  if (call?.id !== id || call.phase !== 'ringing' || call.direction !== 'in') return same(state);
  return { state: { ...state, call: null }, effects: [{ do: 'ring', on: false }] };
}

function media(state: CallState, input: Extract<CallInput, { on: 'media' }>): CallStep {
  const { call } = state;
  if (call?.id !== input.id || call.phase === 'ended') return same(state);
  if (input.state === 'connected')
    return withCall(state, { ...call, phase: 'connected', connectedAt: call.connectedAt ?? input.at });
  if (call.phase !== 'connected' && call.phase !== 'reconnecting')
    return input.state === 'failed' ? withCall(state, call, [{ do: 'restart_ice' }]) : same(state);
  if (call.phase === 'reconnecting')
    return input.state === 'failed' ? withCall(state, call, [{ do: 'restart_ice' }]) : same(state);
  return withCall(state, { ...call, phase: 'reconnecting' }, [
    { do: 'restart_ice' },
    { do: 'timer', name: 'reconnect', ms: reconnectMsMax },
  ]);
}

function timer(state: CallState, input: Extract<CallInput, { on: 'timer' }>): CallStep {
  const { call } = state;
  if (call?.id !== input.id || call.phase === 'ended') return same(state);
  switch (input.name) {
    case 'ring':
      return ringOver(state, call, input.at);
    case 'reach':
      return call.phase === 'calling' && call.ringing.length === 0
        ? withCall(state, { ...call, unreached: true })
        : same(state);
    case 'busy':
      return call.phase === 'calling' && call.ringing.length === 0
        ? finish(state, call, 'busy', input.at, [
            {
              do: 'send',
              userId: call.peerId,
              deviceId: null,
              content: endOf(call.id, 'cancelled'),
              wake: false,
            },
          ])
        : same(state);
    case 'connect':
      return call.phase === 'connecting' ? failed(state, call, input.at) : same(state);
    case 'reconnect':
      return call.phase === 'reconnecting' ? failed(state, call, input.at) : same(state);
  }
}

function ringOver(state: CallState, call: Call, at: number): CallStep {
  if (call.phase === 'calling')
    return finish(state, call, 'no_answer', at, [
      { do: 'send', userId: call.peerId, deviceId: null, content: endOf(call.id, 'no_answer'), wake: false },
    ]);
  return call.phase === 'ringing' ? finish(state, call, 'no_answer', at, [], true) : same(state);
}

function failed(state: CallState, call: Call, at: number): CallStep {
  return finish(state, call, 'failed', at, [
    {
      do: 'send',
      userId: call.peerId,
      deviceId: call.peerDevice,
      content: endOf(call.id, 'failed'),
      wake: false,
    },
  ]);
}

/** Microphone, browser or description failed here. */
function broken(state: CallState, input: Extract<CallInput, { on: 'broken' }>): CallStep {
  const { call } = state;
  if (call?.id !== input.id || call.phase === 'ended') return same(state);
  const step = failed(state, call, input.at);
  const { because } = input;
  if (because === undefined || !step.state.call) return step;
  return {
    ...step,
    state: { ...step.state, call: { ...step.state.call, end: { reason: because, byPeer: false } } },
  };
}
