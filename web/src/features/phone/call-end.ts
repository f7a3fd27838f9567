/** The word for how a phone call ended, from the point of view of who sits here. */
import type { CallEnd } from './agent/agent-types.ts';

export const endWords = [
  'hangup',
  'cancelled',
  'missed',
  'elsewhere',
  'busy',
  'declined',
  'no_answer',
  'unavailable',
  'not_found',
  'refused',
  'no_relay',
  'no_trunk',
  'media',
  'network',
  'failed',
] as const;
export type EndWord = (typeof endWords)[number];

/** By RFC 3261 §21; the box itself answers 403 with why in words. */
const wordOfCode: Readonly<Record<number, EndWord>> = {
  403: 'refused',
  404: 'not_found',
  604: 'not_found',
  484: 'not_found',
  408: 'no_answer',
  480: 'unavailable',
  410: 'unavailable',
  430: 'unavailable',
  486: 'busy',
  600: 'busy',
  603: 'declined',
  487: 'cancelled',
  488: 'media',
  606: 'media',
  500: 'no_trunk',
  502: 'no_trunk',
  503: 'no_trunk',
  504: 'no_trunk',
};

export function endWord(end: CallEnd, call: { direction: 'in' | 'out'; wasAnswered: boolean }): EndWord {
  if (call.wasAnswered) return end.by === 'line' ? 'network' : 'hangup';
  if (call.direction === 'in') {
    if (end.cause === 200 || /elsewhere/i.test(end.reason)) return 'elsewhere';
    return end.by === 'us' ? 'hangup' : 'missed';
  }
  if (end.by === 'us' && end.code === null) return 'hangup';
  if (end.nearestPhone !== null) return 'no_relay';
  if (end.code === null) return 'network';
  return wordOfCode[end.code] ?? 'failed';
}
