/**
 * What service workers report of pushes. The token out of the push is the right to say so; what is not known, too old or said
 * before is dropped without a word, so that nobody learns anything by asking.
 */
import type { talkRoutes } from '@siphera/contract';
import type { z } from 'zod';
import { receiptLifeMs } from '../domain/push-payload.ts';
import type { Ground } from '../ground.ts';
import type { PushJobStore, PushReceipt } from '../store/push-job.store.ts';
import type { PushSubscriptionStore, SubscriptionRow } from '../store/push-subscription.store.ts';
import type { AlarmChain } from './alarm-chain.ts';
import { hashReceipt } from './push-worker.ts';

export type ReceiptState = z.infer<typeof talkRoutes.receiptPush.body>['state'];

export type PushReceiptsOptions = Pick<Ground, 'db' | 'clock'> & {
  jobs: PushJobStore;
  subscriptions: PushSubscriptionStore;
  chain: AlarmChain;
};

export class PushReceipts {
  readonly #options: PushReceiptsOptions;

  constructor(options: PushReceiptsOptions) {
    this.#options = options;
  }

  take(token: string, state: ReceiptState): void {
    const { clock, db, jobs, subscriptions } = this.#options;
    const sha256 = hashReceipt(token);
    const receipt = jobs.receipt(sha256);
    const phone = receipt && subscriptions.get(receipt.subscriptionId);
    if (!receipt || !phone || clock.now() - receipt.sentMs > receiptLifeMs) return;
    db.transaction(() => this.#note(sha256, receipt, phone, state)).immediate();
  }

  #note(sha256: Buffer, receipt: PushReceipt, phone: SubscriptionRow, state: ReceiptState): void {
    const { chain, clock, jobs, subscriptions } = this.#options;
    const isTest = receipt.kind === 'test' && receipt.sentMs >= (phone.testedMs ?? Infinity);
    if (state === 'failed') {
      subscriptions.noteError(phone.id, 'The phone got it and could not show it');
      if (isTest) subscriptions.setTested(phone.id, 'unreachable', receipt.sentMs, null);
      return;
    }
    jobs.noteShown(sha256, clock.now());
    if (receipt.kind === 'alarm') chain.shown(receipt);
    if (isTest) this.#noteTest(receipt, phone, state);
  }

  /** What the person heard is his word; that it was shown is enough to wait for it. */
  #noteTest(receipt: PushReceipt, phone: SubscriptionRow, state: Exclude<ReceiptState, 'failed'>): void {
    const { clock, subscriptions } = this.#options;
    const arrivedMs = phone.testedArrivedMs ?? Math.max(0, clock.now() - receipt.sentMs);
    const said = state !== 'shown' && state !== 'opened';
    const before = phone.testedState === 'unreachable' ? 'waiting' : phone.testedState;
    subscriptions.setTested(phone.id, said ? state : before, phone.testedMs ?? receipt.sentMs, arrivedMs);
  }
}
