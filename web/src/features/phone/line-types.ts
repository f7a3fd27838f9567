/** What a tab that shows the phone knows of it. Plain data: it goes from the tab that runs the phone to the others. */
import type { EndWord } from './call-end.ts';

export const phoneStates = [
  /** Not started, or not for this user. */
  'off',
  /** The user has no number. */
  'no_number',
  /** The bridge does not answer, so there are no credentials. */
  'waiting',
  'connecting',
  'ready',
  /** Kamailio, or the way to it, is down. */
  'no_server',
  'refused',
] as const;
export type PhoneState = (typeof phoneStates)[number];

export type LineCall = {
  id: string;
  /** SIP Call-ID. */
  callId: string;
  direction: 'in' | 'out';
  number: string;
  name: string;
  phase: 'dialling' | 'ringing' | 'connected' | 'ended';
  /** What is heard before the answer comes from the other side: no ringback of ours. */
  early: boolean;
  held: boolean;
  heldByThem: boolean;
  muted: boolean;
  /** No microphone: they hear nothing. */
  unheard: boolean;
  startedAt: number;
  connectedAt: number | null;
  transfer: 'none' | 'asked' | 'refused';
  end: { word: EndWord; reason: string; nearestPhone: string | null } | null;
};

export type LineView = {
  state: PhoneState;
  /** The server's words, with `refused`. */
  reason: string;
  number: string;
  name: string;
  calls: readonly LineCall[];
};

export type LineCommand =
  | { act: 'dial'; number: string; name: string }
  | { act: 'answer' | 'hang_up' | 'dismiss'; id: string }
  | { act: 'hold' | 'mute'; id: string; on: boolean }
  | { act: 'digits'; id: string; tones: string }
  | { act: 'transfer'; id: string; number: string }
  | { act: 'devices' };

export const noLine: LineView = { state: 'off', reason: '', number: '', name: '', calls: [] };
