/** Web Push as a part of talk: phones ring for alarms, messages and calls. Without a way out of the building it says so. */
import { createHmac } from 'node:crypto';
import { KeyBox } from '@siphera/runtime';
import webPush from 'web-push';
import { AlarmChain } from './adapters/alarm-chain.ts';
import { PushReceipts } from './adapters/push-receipts.ts';
import { PushSender } from './adapters/push-sender.ts';
import { PushWorker } from './adapters/push-worker.ts';
import { WakeUps } from './adapters/wake-ups.ts';
import { PushReach } from './domain/push-reach.ts';
import type { Ground, Part, Queues, TalkSignal } from './ground.ts';
import { pushHandlers } from './http/push.routes.ts';
import { PresenceStore } from './store/presence.store.ts';
import { PushIncidentStore } from './store/push-incident.store.ts';
import { PushJobStore } from './store/push-job.store.ts';
import { PushSubscriptionStore, vapidKeys } from './store/push-subscription.store.ts';

export function createPushPart(ground: Ground, queues: Pick<Queues, 'devicesOf' | 'isOpen'>): Part {
  const { clock, config, db, people, random } = ground;
  const box = new KeyBox({ key: config.SIGNALING_KEY, random, variable: 'SIGNALING_KEY_FILE' });
  const keys = vapidKeys(db, { box, make: () => webPush.generateVAPIDKeys(), nowMs: clock.now() });
  const subscriptions = new PushSubscriptionStore(db);
  const stores = {
    subscriptions,
    jobs: new PushJobStore(db),
    incidents: new PushIncidentStore(db),
    presence: new PresenceStore(db),
  };
  const reach = new PushReach();
  const chain = new AlarmChain({ ...ground, ...stores });
  const wakeUps = new WakeUps({ ...ground, ...stores, queues });
  const sender = new PushSender({
    keys,
    contact: contactOf(config.PUSH_CONTACT, config.PUBLIC_ORIGINS),
    allow: config.PUSH_ALLOW_HOSTS,
    caFile: config.PUSH_CA_FILE,
    clock,
  });
  const topicSecret = createHmac('sha256', keys.privateKey).update('siphera-push-topic').digest();
  const worker = new PushWorker({ ...ground, ...stores, chain, wakeUps, sender, reach, topicSecret });
  const receipts = new PushReceipts({ ...ground, ...stores, chain });
  const off = ground.signals.on((signal) => hear(signal, { people, subscriptions, wakeUps }));
  return {
    name: 'push',
    handlers: pushHandlers({ ...ground, ...stores, queues, receipts, reach, publicKey: keys.publicKey }),
    onEntries: (entries) => chain.hear(entries),
    onRevoked: (hits) => {
      // Who signed out, or was signed out, left the phone: nothing of the building is shown on it any more.
      const later = clock.now() / 1_000;
      for (const { id, userId, sessionId } of subscriptions.liveSessions())
        if (hits({ sid: sessionId, sub: userId, iat: later }))
          subscriptions.end(id, 'Signed out on this device', clock.now());
    },
    checks: () => [
      reach.isOpen(clock.now())
        ? { name: 'push', state: 'ok', detail: `${stores.jobs.countWaiting()} wait` }
        : {
            name: 'push',
            state: 'degraded',
            detail: 'no way out: phones away from the LAN are not rung',
          },
    ],
    start: () => worker.start(),
    stop: async () => {
      off();
      await worker.stop();
    },
  };
}

function hear(
  signal: TalkSignal,
  parts: Pick<Ground, 'people'> & { subscriptions: PushSubscriptionStore; wakeUps: WakeUps },
): void {
  const { people, subscriptions, wakeUps } = parts;
  switch (signal.kind) {
    case 'wake':
      wakeUps.wake(signal.userId, signal.what);
      break;
    case 'device_removed':
      subscriptions.removeOfDevice(signal.device.userId, signal.device.deviceId);
      break;
    case 'people':
      for (const id of signal.userIds) if (people.get(id)?.active !== true) subscriptions.removeOfUser(id);
      break;
    case 'online':
    case 'queue_opened':
      break;
  }
}

/** RFC 8292 §2.1 wants https or mailto. A box that is reached by http or as localhost alone has no address to name. */
function contactOf(contact: string | undefined, origins: readonly string[]): string {
  const first = origins
    .map((origin) => new URL(origin))
    .find((url) => url.protocol === 'https:' && url.hostname !== 'localhost');
  return contact ?? first?.origin ?? 'mailto:nobody@siphera.invalid';
}
