/** What the messages of other devices do to a call: invitations, answers, glare, ends. */
import type { CallContent } from '../content.ts';
import { endOf, finish, record, same, withCall } from './call-steps.ts';
import {
  busyGraceMs,
  connectMsMax,
  type Call,
  type CallEffect,
  type CallEnd,
  type CallInput,
  type CallMedia,
  type CallState,
  type CallStep,
} from './call-types.ts';

/** What a message of another device changes: of the peer's, or of a sibling. */
export function message(state: CallState, input: Extract<CallInput, { on: 'message' }>): CallStep {
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
