/** Phones and browsers that may be rung up. Everybody has his own; endpoints and keys leave the box only towards push services. */
import { isGranted, type PushPreferences, type PushSubscription } from '@siphera/contract';
import { AppError, toRfc3339, type Caller } from '@siphera/runtime';
import type { z } from 'zod';
import type { PushReceipts } from '../adapters/push-receipts.ts';
import { AddressLimit } from '../domain/address-limit.ts';
import { lifeMs } from '../domain/push-payload.ts';
import type { PushReach } from '../domain/push-reach.ts';
import { refuseEndpoint, refuseKeys } from '../domain/push-target.ts';
import { defaultPreferences, isTimeZone, readMinute } from '../domain/quiet-hours.ts';
import type { Ground, Queues, TalkHandlers } from '../ground.ts';
import type { PushJobStore } from '../store/push-job.store.ts';
import type { PushSubscriptionStore, SubscriptionRow } from '../store/push-subscription.store.ts';

/** Phones, tablets and browsers of one person; a desk that is signed in anew keeps its own. */
const perUserMax = 20;
/** So that an impatient finger does not ring a phone ten times. */
const testGapMs = 5_000;
/** Phones of a whole site may share one address on the internet, and each push is reported twice or three times. */
const receiptLimit = { callsMax: 240, spanMs: 60_000, addressesMax: 10_000 } as const;

export type PushRouteParts = Pick<Ground, 'clock' | 'config' | 'db' | 'people' | 'random'> & {
  queues: Pick<Queues, 'devicesOf'>;
  jobs: PushJobStore;
  subscriptions: PushSubscriptionStore;
  receipts: PushReceipts;
  reach: PushReach;
  publicKey: string;
};
type Put = Parameters<TalkHandlers['putPushSubscription']>[0];
type Names =
  | 'getPushKey'
  | 'listPushSubscriptions'
  | 'putPushSubscription'
  | 'patchPushSubscription'
  | 'deletePushSubscription'
  | 'testPushSubscription'
  | 'receiptPush';

export function pushHandlers(parts: PushRouteParts): Pick<TalkHandlers, Names> {
  const { clock, db, jobs, publicKey, reach, receipts, subscriptions } = parts;
  const limit = new AddressLimit(receiptLimit);
  return {
    getPushKey: async () => ({ public_key: publicKey, enabled: reach.isOpen(clock.now()) }),

    listPushSubscriptions: async ({ caller, query }) => {
      const rows =
        query.everyone === 'yes' ? onMySites(parts, caller) : subscriptions.ofUser(caller.claims.sub);
      return { items: rows.map(toWire) };
    },

    putPushSubscription: async (call) => toWire(put(parts, call)),

    patchPushSubscription: async ({ caller, params, body }) => {
      const own = ownSubscription(subscriptions, caller, params.id);
      requirePossible(body.preferences);
      const row = { ...own, name: body.name ?? own.name, preferences: body.preferences ?? own.preferences };
      subscriptions.save(row);
      return toWire(row);
    },

    deletePushSubscription: async ({ caller, params }) => {
      const { org, grants } = caller.claims;
      const row = subscriptions.get(params.id);
      // A lost phone is an admin's matter too.
      const manages = row?.orgId === org && isGranted(grants, 'talk.manage', [`org:${org}`]);
      subscriptions.remove(manages ? row.id : ownSubscription(subscriptions, caller, params.id).id);
    },

    testPushSubscription: async ({ caller, params }) => {
      const own = ownSubscription(subscriptions, caller, params.id);
      const nowMs = clock.now();
      if (own.endedMs !== null)
        throw new AppError('unprocessable', 'This browser can be rung up no more.', {
          hint: 'Open the app on it and turn notifications on again.',
        });
      if (own.testedState === 'waiting' && nowMs - (own.testedMs ?? 0) < testGapMs)
        throw new AppError('rate_limited', 'It was rung up a moment ago.', {
          extra: { retry_after_seconds: 5 },
        });
      db.transaction(() => {
        subscriptions.setTested(own.id, 'waiting', nowMs, null);
        jobs.put({
          subscriptionId: own.id,
          kind: 'test',
          about: '',
          dueMs: nowMs,
          endsMs: nowMs + lifeMs.test,
        });
      }).immediate();
      return toWire(ownSubscription(subscriptions, caller, params.id));
    },

    receiptPush: async ({ body, address }) => {
      if (!limit.take(address, clock.monotonic()))
        throw new AppError('rate_limited', 'Too many reports from this address.', {
          extra: { retry_after_seconds: 60 },
        });
      receipts.take(body.receipt, body.state);
    },
  };
}

/** Own ones, and those of people who have a site in common with the caller. */
function onMySites({ people, subscriptions }: PushRouteParts, { claims }: Caller): SubscriptionRow[] {
  const mine = new Set(people.get(claims.sub)?.site_ids);
  return subscriptions
    .inOrg(claims.org)
    .filter(
      ({ userId }) =>
        userId === claims.sub || (people.get(userId)?.site_ids.some((id) => mine.has(id)) ?? false),
    );
}

/** @throws AppError `target_refused` for where nothing is sent, and as the body's faults deserve. */
function put(parts: PushRouteParts, { caller, body }: Put): SubscriptionRow {
  const { claims } = caller;
  const { clock, config, db, queues, random, subscriptions } = parts;
  const refused = refuseEndpoint(body.endpoint, config.PUSH_ALLOW_HOSTS);
  if (refused !== undefined)
    throw new AppError('target_refused', `Nothing is sent to that address: ${refused}.`, {
      hint: 'A push service of your own can be allowed with PUSH_ALLOW_HOSTS.',
    });
  const bad = refuseKeys(body.keys);
  if (bad !== undefined) throw new AppError('validation_failed', `The keys of the browser: ${bad}.`);
  requirePossible(body.preferences);
  const deviceId = body.talk_device_id;
  if (deviceId !== null && !queues.devicesOf(claims.sub).some((device) => device.deviceId === deviceId))
    throw new AppError('unprocessable', 'That device for talk is not yours.');
  return db
    .transaction(() => {
      const before = takeOver(subscriptions, claims.sub, body);
      if (!before && subscriptions.liveOf(claims.sub).length >= perUserMax)
        throw new AppError('unprocessable', `One person has at most ${perUserMax} phones and browsers.`);
      if (deviceId !== null) subscriptions.removeEndedOfDevice(claims.sub, deviceId);
      const row: SubscriptionRow = {
        ...(before ?? blank(random.uuid(), clock.now())),
        orgId: claims.org,
        userId: claims.sub,
        sessionId: claims.sid,
        talkDeviceId: deviceId,
        endpoint: body.endpoint,
        p256dh: body.keys.p256dh,
        auth: body.keys.auth,
        name: body.name,
        service: new URL(body.endpoint).hostname,
        ...(body.preferences ? { preferences: body.preferences } : {}),
      };
      subscriptions.save(row);
      return row;
    })
    .immediate();
}

/**
 * A browser has one endpoint, whoever uses it: who signs in on it next takes it over, and the one before is rung up there no more. He
 * has to know its keys for that, as the browser does.
 * @returns the person's own of before, to go on with; one that was ended is rung up again.
 */
function takeOver(
  subscriptions: PushSubscriptionStore,
  userId: string,
  body: Put['body'],
): SubscriptionRow | undefined {
  const before = subscriptions.byEndpoint(body.endpoint);
  if (!before) return undefined;
  const sameKeys = before.p256dh === body.keys.p256dh && before.auth === body.keys.auth;
  if (before.userId !== userId) {
    if (!sameKeys) throw new AppError('conflict', 'That address belongs to another browser.');
    subscriptions.remove(before.id);
    return undefined;
  }
  if (sameKeys && before.endedMs === null) return before;
  // It has to show anew that it rings.
  return { ...before, ...untested, endedMs: null, lastError: null };
}

const untested = { testedState: 'untested', testedMs: null, testedArrivedMs: null } as const;

const blank = (id: string, nowMs: number) => ({
  id,
  preferences: defaultPreferences,
  createdMs: nowMs,
  lastSuccessMs: null,
  lastError: null,
  endedMs: null,
  ...untested,
  messageMs: null,
  callMs: null,
});

/** @throws AppError `validation_failed` for hours or a zone that are none: they would be no quiet hours, in silence. */
function requirePossible(preferences: PushPreferences | undefined): void {
  const quiet = preferences?.quiet;
  if (!quiet) return;
  if (!isTimeZone(quiet.time_zone))
    throw new AppError('validation_failed', `There is no time zone "${quiet.time_zone}".`);
  for (const time of [quiet.from, quiet.until])
    if (readMinute(time) === undefined)
      throw new AppError('validation_failed', `${time} is no time of a day.`);
}

/** @throws AppError `not_found` for those of others too: nobody learns that they are there. */
function ownSubscription(subscriptions: PushSubscriptionStore, caller: Caller, id: string): SubscriptionRow {
  const row = subscriptions.get(id);
  if (row?.userId !== caller.claims.sub)
    throw new AppError('not_found', 'You have no such phone or browser.');
  return row;
}

const time = (ms: number | null): string | null => (ms === null ? null : toRfc3339(ms));

const toWire = (row: SubscriptionRow): z.input<typeof PushSubscription> => ({
  id: row.id,
  user_id: row.userId,
  talk_device_id: row.talkDeviceId,
  name: row.name,
  service: row.service,
  created_at: toRfc3339(row.createdMs),
  last_success_at: time(row.lastSuccessMs),
  last_error: row.lastError,
  preferences: row.preferences,
  tested: { state: row.testedState, at: time(row.testedMs), arrived_ms: row.testedArrivedMs },
});
