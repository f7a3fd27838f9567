/**
 * Pull points and the notifications that wait in them (ONVIF Core specification, chapter 9). What must stay true: a
 * subscription that ended, or that a reboot forgot, is gone at once and its waiting pull with it.
 */
import { randomUUID } from 'node:crypto';
import { child, type XmlNode } from './xml.ts';

export type Notification = {
  topic: string;
  source: Readonly<Record<string, string>>;
  data: Readonly<Record<string, string>>;
  /** Absent for an event that is no property. */
  operation?: 'Initialized' | 'Changed' | 'Deleted';
  atMs: number;
};

export type Subscription = {
  id: string;
  matches: (topic: string) => boolean;
  queue: Notification[];
  /** On the monotonic clock. */
  endsAtMs: number;
  ended: boolean;
  wake: () => void;
};

/** Notifications that a pull point holds for its client; the oldest go first. */
const queueMax = 1_000;

export class Subscriptions {
  readonly #all = new Map<string, Subscription>();

  get size(): number {
    this.#prune();
    return this.#all.size;
  }

  add(filter: XmlNode | undefined, lifeMs: number): Subscription {
    const subscription: Subscription = {
      id: randomUUID(),
      matches: topicFilter(filter),
      queue: [],
      endsAtMs: performance.now() + lifeMs,
      ended: false,
      wake: () => undefined,
    };
    this.#all.set(subscription.id, subscription);
    return subscription;
  }

  get(id: string): Subscription | undefined {
    this.#prune();
    return this.#all.get(id);
  }

  remove(subscription: Subscription): void {
    this.#all.delete(subscription.id);
    subscription.ended = true;
    subscription.wake();
  }

  clear(): void {
    for (const subscription of this.#all.values()) this.remove(subscription);
  }

  publish(notification: Notification): void {
    this.#prune();
    for (const subscription of this.#all.values()) offer(subscription, notification);
  }

  #prune(): void {
    for (const subscription of this.#all.values()) {
      if (subscription.endsAtMs <= performance.now()) this.remove(subscription);
    }
  }
}

export function offer(subscription: Subscription, notification: Notification): void {
  if (!subscription.matches(notification.topic)) return;
  subscription.queue.push(notification);
  if (subscription.queue.length > queueMax) subscription.queue.shift();
  subscription.wake();
}

/** Waits for the first notification, at most `timeoutMs`, and takes up to `limit`. */
export async function pull(
  subscription: Subscription,
  limit: number,
  timeoutMs: number,
): Promise<Notification[]> {
  if (subscription.queue.length === 0) {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      subscription.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
  return subscription.queue.splice(0, limit);
}

/** The topics that a filter lets through (ConcreteSet dialect: alternatives by `|`, a subtree by `//.`). */
function topicFilter(filter: XmlNode | undefined): (topic: string) => boolean {
  const expression = child(filter, 'TopicExpression')?.text.trim() ?? '';
  if (expression === '') return () => true;
  const wanted = expression.split('|').map((one) => one.trim().replace(/^\w+:/, ''));
  return (topic) => {
    const path = topic.replace(/^\w+:/, '');
    return wanted.some((one) =>
      one.endsWith('//.') ? `${path}/`.startsWith(`${one.slice(0, -3)}/`) : path === one,
    );
  };
}
