/** What a call is, what happens to it, and what has to be done then: the words of the call machine. */
import type { CallRecord } from '../api.ts';
import type { CallContent } from '../content.ts';

/** How long a phone rings; then it is a missed call. */
export const ringMsMax = 45_000;
/** From the answer to media. A relay through TCP takes two to three seconds. */
export const connectMsMax = 20_000;
/** After the network was lost, before the call is given up. */
export const reconnectMsMax = 30_000;
/** Without `ringing` from any device by then, the caller reads that no device is there. */
export const reachMsMax = 8_000;
/** All devices that rang said that they are busy; another one may still begin to ring. */
export const busyGraceMs = 2_000;

export type CallMedia = 'voice' | 'video';
export type CallEnd = Extract<CallContent, { act: 'end' }>['reason'];

/** What hindered it here, where that is not the network: the person can do something about it. */
export type CallHindrance = 'keys_changed' | 'offline';

/** A call that is going on, or has just ended and is still shown. */
export type Call = {
  id: string;
  peerId: string;
  /** Of the peer: unknown to the caller until one answers. */
  peerDevice: string | null;
  direction: 'in' | 'out';
  media: CallMedia;
  incidentId: string | null;
  phase: 'calling' | 'ringing' | 'connecting' | 'connected' | 'reconnecting' | 'ended';
  startedAt: number;
  connectedAt: number | null;
  end: { reason: CallEnd | CallHindrance; byPeer: boolean } | null;
  /** Devices of the callee that ring, as they said. */
  ringing: readonly string[];
  busy: readonly string[];
  /** The caller: nobody rang by now. */
  unreached: boolean;
  /** The callee: what the caller offers. */
  offer: string | null;
};
export type CallState = {
  me: string;
  call: Call | null;
};

export type CallInput =
  | { on: 'dial'; id: string; peerId: string; media: CallMedia; incidentId: string | null; at: number }
  /** The offer is made; it is sent now. */
  | { on: 'offer_made'; id: string; sdp: string }
  | { on: 'accept'; at: number }
  | { on: 'answer_made'; id: string; sdp: string }
  | { on: 'hang_up'; at: number }
  /** Another tab of this device took it. */
  | { on: 'taken_by_tab'; id: string }
  | { on: 'message'; userId: string; deviceId: string; content: CallContent; at: number; ageMs: number }
  | { on: 'media'; id: string; state: 'connected' | 'interrupted' | 'failed'; at: number }
  | { on: 'timer'; id: string; name: CallTimer; at: number }
  | { on: 'broken'; id: string; at: number; because?: CallHindrance }
  | { on: 'dismiss' };
export type CallTimer = 'ring' | 'reach' | 'connect' | 'reconnect' | 'busy';

export type CallEffect =
  | { do: 'send'; userId: string; deviceId: string | null; content: CallContent; wake: boolean }
  /** To the peer's other devices, one by one. */
  | { do: 'send_others'; userId: string; exceptDevice: string; content: CallContent }
  | { do: 'make_offer'; id: string; media: CallMedia }
  | { do: 'make_answer'; id: string; media: CallMedia; offer: string }
  | { do: 'take_answer'; sdp: string }
  | { do: 'take_candidates'; candidates: Extract<CallContent, { act: 'candidates' }>['candidates'] }
  | { do: 'negotiate'; type: 'offer' | 'answer'; sdp: string }
  | { do: 'restart_ice' }
  | { do: 'ring'; on: boolean }
  | { do: 'ringback'; on: boolean }
  | { do: 'close_media' }
  | { do: 'timer'; name: CallTimer; ms: number }
  | { do: 'record'; peerId: string; record: CallRecord };

export type CallStep = { state: CallState; effects: CallEffect[] };
