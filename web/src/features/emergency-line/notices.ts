/**
 * Emergency calls of the house, told by Kamailio itself (SIP MESSAGE) and shown whether core runs or not. What must stay true: each call is
 * one notice, whichever tab heard it first and however often; what is not a notice is left alone.
 */
import type { EmergencyNotice } from '@siphera/contract';
import { shallowRef } from 'vue';

export type Notice = EmergencyNotice & { read: boolean };
export const noticeType = 'application/vnd.siphera.emergency+json';
/** More than these at once is a drill of a whole site; the newest are shown. */
const noticesMax = 20;
const textMax = 300;
const kinds = ['emergency', 'test', 'drill'] as const;
/** In the order in which a call passes through them: a late message takes nothing back. */
const states = ['started', 'answered', 'failed', 'ended'] as const;

export const notices = shallowRef<readonly Notice[]>([]);
const channel =
  typeof BroadcastChannel === 'function' ? new BroadcastChannel('siphera-emergency') : undefined;
type Word = { heard: EmergencyNotice } | { read: string };
channel?.addEventListener('message', ({ data }: MessageEvent<Word>) => {
  if ('heard' in data) put(data.heard);
  else markRead(data.read);
});

/** A SIP message that came for this user. */
export function takeNotice(contentType: string, body: string): void {
  if (contentType !== noticeType) return;
  const notice = parseNotice(body);
  if (!notice) return;
  put(notice);
  channel?.postMessage({ heard: notice } satisfies Word);
}

/** Somebody at this computer has understood it. */
export function readNotice(uid: string): void {
  markRead(uid);
  channel?.postMessage({ read: uid } satisfies Word);
}

function put(notice: EmergencyNotice): void {
  const before = notices.value.find(({ uid }) => uid === notice.uid);
  if (before && states.indexOf(before.state) >= states.indexOf(notice.state)) return;
  const next: Notice = { ...notice, read: before?.read ?? false };
  notices.value = before
    ? notices.value.map((one) => (one.uid === notice.uid ? next : one))
    : [next, ...notices.value].slice(0, noticesMax);
}

function markRead(uid: string): void {
  notices.value = notices.value.map((one) => (one.uid === uid ? { ...one, read: true } : one));
}

export function parseNotice(body: string): EmergencyNotice | undefined {
  const said = jsonObject(body);
  if (!said) return undefined;
  const text = (name: string): string => (typeof said[name] === 'string' ? said[name].slice(0, textMax) : '');
  const kind = kinds.find((one) => one === said['kind']);
  const state = states.find((one) => one === said['state']);
  if (said['v'] !== 1 || !kind || !state || text('uid') === '') return undefined;
  return {
    v: 1,
    uid: text('uid'),
    kind,
    state,
    number: text('number'),
    caller: text('caller'),
    verified: said['verified'] === true,
    location_id: text('location_id'),
    location: text('location'),
    callback: text('callback'),
    at: typeof said['at'] === 'number' && Number.isFinite(said['at']) ? said['at'] : 0,
  };
}

function jsonObject(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
