/**
 * Pushes that say that a message or a call is there, to people who have no queue open. What must stay true: they tell nothing
 * but that, and a person is told of messages at most once a minute, however many come.
 */
import { lifeMs } from '../domain/push-payload.ts';
import { takesWake } from '../domain/quiet-hours.ts';
import type { Ground, Queues } from '../ground.ts';
import type { PresenceStore } from '../store/presence.store.ts';
import type { PushJobStore } from '../store/push-job.store.ts';
import type { PushSubscriptionStore, SubscriptionRow } from '../store/push-subscription.store.ts';

/** What comes in between is told when it is over, unless the person has looked by then. */
const gapMs: Readonly<Record<'message' | 'call', number>> = {
  message: 60_000,
  /** A second call right after the first rings too; calls in a row from a broken client do not. */
  call: 5_000,
};

export type WakeUpsOptions = Pick<Ground, 'clock' | 'people'> & {
  queues: Pick<Queues, 'devicesOf' | 'isOpen'>;
  jobs: PushJobStore;
  subscriptions: PushSubscriptionStore;
  presence: PresenceStore;
};

export class WakeUps {
  readonly #options: WakeUpsOptions;

  constructor(options: WakeUpsOptions) {
    this.#options = options;
  }

  wake(userId: string, what: 'message' | 'call'): void {
    const { clock, jobs, subscriptions } = this.#options;
    const nowMs = clock.now();
    if (!this.#isAway(userId)) return;
    const phones = subscriptions.liveOf(userId);
    const last = Math.max(
      ...phones.map((phone) => (what === 'message' ? phone.messageMs : phone.callMs) ?? 0),
    );
    const dueMs = Math.max(nowMs, last + gapMs[what]);
    for (const phone of phones)
      if (this.wants(phone, what))
        jobs.putOnce({
          subscriptionId: phone.id,
          kind: what,
          about: '',
          dueMs,
          endsMs: dueMs + lifeMs[what],
        });
  }

  /** Whether this phone is told now. Asked again when its turn comes: the person may have opened the app meanwhile. */
  wants(phone: SubscriptionRow, what: 'message' | 'call'): boolean {
    return this.#isAway(phone.userId) && takesWake(phone.preferences, what, this.#options.clock.now());
  }

  #isAway(userId: string): boolean {
    const { clock, people, presence, queues } = this.#options;
    if (people.get(userId)?.active !== true) return false;
    if ((presence.get(userId)?.dndUntilMs ?? 0) > clock.now()) return false;
    return !queues.devicesOf(userId).some((device) => queues.isOpen(device));
  }
}
