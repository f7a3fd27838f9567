/** Signaling with its push part beside a push service for tests: people on duty, their browsers, incidents of core's feed, and a clock that can be put forward. */
import {
  internalPaths,
  PushSubscription,
  type Incident,
  type InternalIncidentLine,
  type InternalPushUndelivered,
  type PushPreferences,
} from '@siphera/contract';
import { systemClock, systemRandom, toRfc3339 } from '@siphera/runtime';
import {
  startFakePushService,
  tempDir,
  waitFor,
  type FakeBrowser,
  type FakePushService,
  type ReceivedPush,
} from '@siphera/testkit';
import type { z } from 'zod';
import { createDevicesPart } from '../devices.part.ts';
import { createPresencePart } from '../presence.part.ts';
import { createPushPart } from '../push.part.ts';
import { orgScope } from './feed-server.ts';
import { callTalk, okOf, startTalkRig, type TalkRig, type TestUser, type UserInput } from './talk-rig.ts';

export type Phone = FakeBrowser & { id: string };
export type PushRig = AsyncDisposable & {
  talk: TalkRig;
  push: FakePushService;
  /** Puts the wall clock forward. Tokens live for five minutes of it. */
  advance(ms: number): void;
  /** Somebody who is on duty. */
  guard(input?: UserInput): Promise<TestUser>;
  /** Lets a new browser of the user be rung up. */
  phone(user: TestUser, preferences?: Partial<PushPreferences>): Promise<Phone>;
  /** Says in the feed that an incident is there, or has changed: its revision counts up. */
  incident(change?: Partial<Incident>, scopes?: string[]): Incident;
  /** Reports on a push, as its service worker does. */
  report(push: ReceivedPush, state: string): Promise<number>;
  undelivered(): z.infer<typeof InternalPushUndelivered>[];
  lines(): z.infer<typeof InternalIncidentLine>[];
  listed(user: TestUser, id: string): Promise<PushSubscription | undefined>;
};

const defaults: PushPreferences = { alarms_from: 'low', messages: true, calls: true, quiet: null };

/** @param options `allow`: whether the test's push service is one that an admin allowed. */
export async function startPushRig(options: { allow?: boolean } = {}): Promise<PushRig> {
  const dir = await tempDir('push');
  const push = await startFakePushService(dir.path);
  let offsetMs = 0;
  const talk = await startTalkRig({
    clock: { ...systemClock, now: () => systemClock.now() + offsetMs },
    env: { PUSH_ALLOW_HOSTS: options.allow === false ? '' : push.host, PUSH_CA_FILE: push.caFile },
    parts: (ground) => {
      const devices = createDevicesPart(ground);
      return [
        devices.part,
        createPresencePart(ground, devices.queues),
        createPushPart(ground, devices.queues),
      ];
    },
  });
  const callsOf = (path: string): unknown[] =>
    talk.core.calls.filter((call) => call.path === path).map(({ body }) => body);
  return {
    talk,
    push,
    advance: (ms) => void (offsetMs += ms),
    guard: async (input) => {
      const user = await talk.user(input);
      okOf(await user.call('setPresence', { body: { on_duty: true } }));
      return user;
    },
    phone: (user, preferences) => addPhone(push, user, { ...defaults, ...preferences }),
    incident: (change, scopes = [orgScope]) => {
      const incident = makeIncident(change);
      talk.core.append({
        kind: 'incident',
        id: incident.id,
        audience: 'incident.read',
        scopes,
        data: incident,
      });
      return incident;
    },
    report: async ({ payload }, state) =>
      (await callTalk(talk, undefined, 'receiptPush', { body: { receipt: payload['receipt'], state } }))
        .status,
    undelivered: () => callsOf(internalPaths.pushUndelivered) as z.infer<typeof InternalPushUndelivered>[],
    lines: () => callsOf(internalPaths.incidentLine) as z.infer<typeof InternalIncidentLine>[],
    listed: async (user, id) => (await listOf(user)).find((one) => one.id === id),
    [Symbol.asyncDispose]: async () => {
      await talk[Symbol.asyncDispose]();
      await push.close();
      await dir.remove();
      const faults = talk.log.filter((line) => line.includes('"level":"error"'));
      if (faults.length > 0) throw new Error(`The service logged errors: ${faults.join('')}`);
    },
  };
}

export const publicKeyOf = async (user: TestUser): Promise<string> =>
  (okOf(await user.call('getPushKey')) as { public_key: string }).public_key;

export async function listOf(user: TestUser, everyone: 'yes' | 'no' = 'no'): Promise<PushSubscription[]> {
  const { items } = okOf(await user.call('listPushSubscriptions', { query: { everyone } })) as {
    items: unknown[];
  };
  return items.map((item) => PushSubscription.parse(item));
}

/** The nth push to a browser, from 1. */
export const pushOf = (browser: FakeBrowser, n = 1): Promise<ReceivedPush> =>
  waitFor(`push ${n} to a browser`, () => browser.received[n - 1]);

async function addPhone(push: FakePushService, user: TestUser, preferences: PushPreferences): Promise<Phone> {
  const browser = push.subscribe(await publicKeyOf(user));
  const body = { ...browser.subscription, name: 'Pixel', preferences };
  const { id } = PushSubscription.parse(okOf(await user.call('putPushSubscription', { body })));
  return Object.assign(browser, { id });
}

let number = 4_100;
let revision = 0;

function makeIncident(change: Partial<Incident> = {}): Incident {
  const at = toRfc3339(systemClock.now());
  return {
    id: systemRandom.uuid(),
    org_id: orgScope.slice('org:'.length),
    site_id: systemRandom.uuid(),
    number: (number += 1),
    title: 'Door forced',
    severity: 'high',
    state: 'new',
    area_id: systemRandom.uuid(),
    area_name: 'Loading yard',
    device_id: null,
    device_name: 'Gate 3',
    device_ids: [],
    rule_id: null,
    rule_name: null,
    opened_at: at,
    updated_at: at,
    event_count: 1,
    late_ms: 0,
    acknowledged_by: null,
    assignee: null,
    resolved_by: null,
    resolution: null,
    steps: [],
    escalation_level: 0,
    test: false,
    trace_id: '0'.repeat(32),
    ...change,
    revision: (revision += 1),
  };
}
