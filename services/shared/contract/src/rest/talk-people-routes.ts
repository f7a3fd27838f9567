/** Routes of people in talk: who is there, the relay for calls, and what rings whom up when no page is open. */
import { z } from 'zod';
import { ById, Name, Timestamp } from '../primitives.ts';
import { defineRoutes } from './route.ts';
import {
  Presence,
  PushPreferences,
  PushSubscription,
  TalkDeviceId,
  TalkPerson,
  TurnCredentials,
} from './talk.ts';

const talk = { service: 'signaling', tag: 'talk', access: 'talk.use' } as const;
const push = { ...talk, tag: 'push' } as const;
const presence = { ...talk, tag: 'presence' } as const;

export const talkPeopleRoutes = defineRoutes({
  // ── people, presence, calls ───────────────────────────────────────────────────────────────────────────────────────────
  listPeople: {
    ...presence,
    method: 'get',
    path: '/talk/people',
    summary: 'Who works here: roles, sites, on duty, reachable',
    response: z.object({ items: z.array(TalkPerson) }),
  },
  setPresence: {
    ...presence,
    method: 'put',
    path: '/talk/presence',
    summary: 'On or off duty, do not disturb until',
    body: z.object({ on_duty: z.boolean().optional(), dnd_until: Timestamp.nullable().optional() }),
    response: Presence,
  },
  getTurn: {
    ...talk,
    method: 'get',
    path: '/talk/turn',
    summary: 'Short-lived credentials for the relay (TURN REST API); they name the session and end with it',
    response: TurnCredentials,
  },

  // ── push ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
  getPushKey: {
    ...push,
    method: 'get',
    path: '/talk/push/key',
    summary: 'Public key of this box for `pushManager.subscribe` (VAPID, RFC 8292)',
    response: z.object({ public_key: z.string(), enabled: z.boolean() }),
  },
  listPushSubscriptions: {
    ...push,
    method: 'get',
    path: '/talk/push/subscriptions',
    summary:
      'My phones and browsers, or those of all on my sites (`everyone`): which ring, by their last test',
    query: z.object({ everyone: z.enum(['yes', 'no']).default('no') }),
    response: z.object({ items: z.array(PushSubscription) }),
  },
  putPushSubscription: {
    ...push,
    method: 'put',
    path: '/talk/push/subscriptions',
    summary: 'Let this browser be rung up. The same endpoint again replaces its keys',
    body: z.object({
      endpoint: z.url().max(1_000),
      keys: z.object({ p256dh: z.string().max(120), auth: z.string().max(60) }),
      name: Name,
      talk_device_id: TalkDeviceId.nullable().default(null),
      preferences: PushPreferences.optional(),
    }),
    response: PushSubscription,
  },
  patchPushSubscription: {
    ...push,
    method: 'patch',
    path: '/talk/push/subscriptions/{id}',
    summary: 'Change what it is rung up for',
    params: ById,
    body: z.object({ name: Name.optional(), preferences: PushPreferences.optional() }),
    response: PushSubscription,
  },
  deletePushSubscription: {
    ...push,
    method: 'delete',
    path: '/talk/push/subscriptions/{id}',
    summary: 'Ring it up no more',
    params: ById,
    status: 204,
  },
  testPushSubscription: {
    ...push,
    method: 'post',
    path: '/talk/push/subscriptions/{id}/test',
    summary: 'Ring it up now; the phone asks what was heard. Not shown within 30 s is `unreachable`',
    params: ById,
    response: PushSubscription,
    status: 202,
  },
  receiptPush: {
    ...push,
    access: 'public',
    method: 'post',
    path: '/talk/push/receipts',
    summary:
      'From the service worker: it was shown, heard, opened. The receipt out of the push is the right to say so',
    body: z.object({
      receipt: z.string().max(200),
      state: z.enum(['shown', 'rings', 'banner', 'only_with_screen', 'opened', 'failed']),
    }),
    status: 204,
  },
});
