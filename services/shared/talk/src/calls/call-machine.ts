/**
 * A call between two people as one device sees it: pure, so that glare, two devices that answer at once, and messages that come late
 * are tried without a microphone. What must stay true: a call rings nowhere after it ended for anybody, and a message of
 * another call or of a device that is not in it changes nothing.
 */
import type { CallRecord } from '../api.ts';
import type { CallContent } from '../content.ts';
import {
  busyGraceMs,
  connectMsMax,
  reachMsMax,
  reconnectMsMax,
  ringMsMax,
  type Call,
  type CallEffect,
  type CallEnd,
  type CallInput,
  type CallMedia,
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

const same = (state: CallState): CallStep => ({ state, effects: [] });
const isOver = (call: Call | null): boolean => call === null || call.phase === 'ended';
const withCall = (state: CallState, call: Call, effects: CallEffect[] = []): CallStep => ({
  state: { ...state, call },
  effects,
});

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

function message(state: CallState, input: Extract<CallInput, { on: 'message' }>): CallStep {
  const { content, userId } = input;
  if (userId === state.me) return fromOwnDevice(state, content, input.at);
  if (content.act === 'invite') return invited(state, input, content);
  const { call } = state;
  if (call === null || call.phase === 'ended' || call.id !== content.call_id || call.peerId !== userId) {
    // A device that answers a call that is over must not sit in silence.
    if (content.act === 'answer')
      return {
        state,
        effects: [
          {
            do: 'send',
            userId,
            deviceId: input.deviceId,
            content: endOf(content.call_id, 'cancelled'),
            wake: false,
          },
        ],
      };
    return same(state);
  }
  switch (content.act) {
    case 'ringing':
      return rang(state, call, input.deviceId);
    case 'answer':
      return answered(state, call, input.deviceId, content.sdp);
    case 'candidates':
      return isPeer(call, input.deviceId)
        ? withCall(state, call, [{ do: 'take_candidates', candidates: content.candidates }])
        : same(state);
    case 'negotiate':
      return isPeer(call, input.deviceId)
        ? withCall(state, call, [{ do: 'negotiate', type: content.type, sdp: content.sdp }])
        : same(state);
    case 'end':
      return ended(state, call, input.deviceId, content.reason, input.at);
  }
}

const isPeer = (call: Call, deviceId: string): boolean => call.peerDevice === deviceId;

/** A sibling took or declined what rings here. */
function fromOwnDevice(state: CallState, content: CallContent, at: number): CallStep {
  const { call } = state;
  if (content.act !== 'end' || call?.id !== content.call_id || call.direction !== 'in') return same(state);
  if (call.phase !== 'ringing') return same(state);
  return finish(state, call, content.reason, at, [], true);
}

type Invite = Extract<CallContent, { act: 'invite' }>;

function invited(state: CallState, input: Extract<CallInput, { on: 'message' }>, invite: Invite): CallStep {
  const { call } = state;
  const fresh = incoming(input, invite);
  if (input.ageMs > invite.lifetime_ms)
    // It rang while this device was away. The others, or the caller, have ended it long since.
    return call?.id === invite.call_id
      ? same(state)
      : { state, effects: [record(fresh, 'missed', input.at)] };
  if (call !== null && call.phase !== 'ended') {
    if (call.id === invite.call_id) return same(state);
    const isGlare = call.direction === 'out' && call.peerId === input.userId && call.phase === 'calling';
    if (isGlare) return glare(state, call, fresh);
    return {
      state,
      effects: [
        {
          do: 'send',
          userId: input.userId,
          deviceId: input.deviceId,
          content: endOf(invite.call_id, 'busy'),
          wake: false,
        },
        record(fresh, 'missed', input.at),
      ],
    };
  }
  return withCall(state, fresh, [
    { do: 'ring', on: true },
    {
      do: 'send',
      userId: fresh.peerId,
      deviceId: fresh.peerDevice,
      content: { t: 'call', act: 'ringing', call_id: fresh.id },
      wake: false,
    },
    { do: 'timer', name: 'ring', ms: Math.max(0, invite.lifetime_ms - input.ageMs) },
  ]);
}

const incoming = (input: Extract<CallInput, { on: 'message' }>, invite: Invite): Call => ({
  id: invite.call_id,
  peerId: input.userId,
  peerDevice: input.deviceId,
  direction: 'in',
  media: invite.media,
  incidentId: invite.incident_id ?? null,
  phase: 'ringing',
  startedAt: input.at,
  connectedAt: null,
  end: null,
  ringing: [],
  busy: [],
  unreached: false,
  offer: invite.sdp,
});

/** Both call each other: the lower id stands. Its caller ignores the other; the other side answers it, since both want to talk. */
function glare(state: CallState, mine: Call, theirs: Call): CallStep {
  if (mine.id < theirs.id) return same(state);
  const media: CallMedia = mine.media === 'voice' ? 'voice' : theirs.media;
  const call: Call = {
    ...theirs,
    media,
    phase: 'connecting',
    incidentId: theirs.incidentId ?? mine.incidentId,
  };
  return withCall(state, call, [
    { do: 'ringback', on: false },
    { do: 'close_media' },
    { do: 'send', userId: mine.peerId, deviceId: null, content: endOf(mine.id, 'glare'), wake: false },
    { do: 'make_answer', id: call.id, media, offer: theirs.offer ?? '' },
    { do: 'timer', name: 'connect', ms: connectMsMax },
    {
      do: 'send',
      userId: state.me,
      deviceId: null,
      content: endOf(call.id, 'answered_elsewhere'),
      wake: false,
    },
  ]);
}

function rang(state: CallState, call: Call, deviceId: string): CallStep {
  if (call.direction !== 'out' || call.phase !== 'calling' || call.ringing.includes(deviceId))
    return same(state);
  return withCall(state, { ...call, ringing: [...call.ringing, deviceId], unreached: false }, [
    { do: 'ringback', on: true },
  ]);
}

function answered(state: CallState, call: Call, deviceId: string, sdp: string): CallStep {
  if (call.direction !== 'out') return same(state);
  if (call.phase !== 'calling')
    // Two of them answered: the first has it.
    return call.peerDevice === deviceId
      ? same(state)
      : withCall(state, call, [
          {
            do: 'send',
            userId: call.peerId,
            deviceId,
            content: endOf(call.id, 'answered_elsewhere'),
            wake: false,
          },
        ]);
  return withCall(state, { ...call, phase: 'connecting', peerDevice: deviceId }, [
    { do: 'ringback', on: false },
    { do: 'take_answer', sdp },
    { do: 'timer', name: 'connect', ms: connectMsMax },
    {
      do: 'send_others',
      userId: call.peerId,
      exceptDevice: deviceId,
      content: endOf(call.id, 'answered_elsewhere'),
    },
  ]);
}

function ended(state: CallState, call: Call, deviceId: string, reason: CallEnd, at: number): CallStep {
  if (call.direction === 'in') {
    if (!isPeer(call, deviceId)) return same(state);
    return finish(state, call, reason, at, [], true);
  }
  if (call.peerDevice !== null)
    return isPeer(call, deviceId) ? finish(state, call, reason, at, [], true) : same(state);
  if (reason === 'declined') {
    const others: CallEffect = {
      do: 'send_others',
      userId: call.peerId,
      exceptDevice: deviceId,
      content: endOf(call.id, 'declined_elsewhere'),
    };
    return finish(state, call, 'declined', at, [others], true);
  }
  if (reason !== 'busy') return same(state);
  const busy = [...new Set([...call.busy, deviceId])];
  const ringing = call.ringing.filter((id) => id !== deviceId);
  return withCall(
    state,
    { ...call, busy, ringing },
    ringing.length > 0 ? [] : [{ do: 'timer', name: 'busy', ms: busyGraceMs }],
  );
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
  return failed(state, call, input.at);
}

function finish(
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

const record = (call: Call, outcome: CallRecord['outcome'], at: number): CallEffect => ({
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

const endOf = (callId: string, reason: CallEnd): CallContent => ({
  t: 'call',
  act: 'end',
  call_id: callId,
  reason,
});
