/**
 * Pushes that say that a message or a call is there, to people who have no queue open. What must stay true: they tell nothing
 * but that, and a person is told of messages at most once a minute, however many come.
 */
import { lifeMs } from '../domain/push-payload.ts';
import { takesWake } from '../domain/quiet-hours.ts';
import type { Ground, Queues } from '../ground.ts';
import type { PresenceStore } from '../store/presence.store.ts';
import type { PushJob, PushJobStore } from '../store/push-job.store.ts';
import type { PushSubscriptionStore, SubscriptionRow } from '../store/push-subscription.store.ts';

type What = 'message' | 'call';

/** What comes in between is told when it is over, unless the person has looked by then. */
const gapMs: Readonly<Record<What, number>> = {
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
  /** Pushes that are being sent. */
  readonly #underWay = new Map<string, { again: boolean }>();

  constructor(options: WakeUpsOptions) {
    this.#options = options;
  }

  wake(userId: string, what: What): void {
    if (!this.#isAway(userId)) return;
    for (const phone of this.#options.subscriptions.liveOf(userId)) {
      if (!this.wants(phone, what)) continue;
      const underWay = this.#underWay.get(nameOf(phone.id, what));
      // The phone may have shown that one, and its person have looked, before this came: it is told by one of its own.
      if (underWay) underWay.again = true;
      else this.#ask(phone.userId, phone.id, what);
    }
  }

  /** A push is being sent from now on, until `ended`. */
  begins({ kind, subscriptionId }: Pick<PushJob, 'kind' | 'subscriptionId'>): void {
    if (isWake(kind)) this.#underWay.set(nameOf(subscriptionId, kind), { again: false });
  }

  /** To be called once it is known what came of it: a try that failed is made again, for all that came meanwhile. */
  ended({ kind, subscriptionId }: Pick<PushJob, 'kind' | 'subscriptionId'>): void {
    if (!isWake(kind)) return;
    const name = nameOf(subscriptionId, kind);
    const { again } = this.#underWay.get(name) ?? { again: false };
    this.#underWay.delete(name);
    const phone = again ? this.#options.subscriptions.get(subscriptionId) : undefined;
    if (phone?.endedMs === null) this.#ask(phone.userId, phone.id, kind);
  }

  /** Whether this phone is told now. Asked again when its turn comes: the person may have opened the app meanwhile. */
  wants(phone: SubscriptionRow, what: What): boolean {
    return this.#isAway(phone.userId) && takesWake(phone.preferences, what, this.#options.clock.now());
  }

  #ask(userId: string, subscriptionId: string, kind: What): void {
    const { clock, jobs, subscriptions } = this.#options;
    const told = subscriptions
      .liveOf(userId)
      .map((phone) => (kind === 'message' ? phone.messageMs : phone.callMs) ?? 0);
    const dueMs = Math.max(clock.now(), Math.max(...told) + gapMs[kind]);
    jobs.putOnce({ subscriptionId, kind, about: '', dueMs, endsMs: dueMs + lifeMs[kind] });
  }

  #isAway(userId: string): boolean {
    const { clock, people, presence, queues } = this.#options;
    if (people.get(userId)?.active !== true) return false;
    if ((presence.get(userId)?.dndUntilMs ?? 0) > clock.now()) return false;
    return !queues.devicesOf(userId).some((device) => queues.isOpen(device));
  }
}

const isWake = (kind: PushJob['kind']): kind is What => kind === 'message' || kind === 'call';
const nameOf = (subscriptionId: string, what: What): string => `${what} ${subscriptionId}`;
