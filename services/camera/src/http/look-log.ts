/** Looks at evidence stand in the audit, each look once: a page that is drawn again is the same look. */
import type { Call, Clock } from '@siphera/runtime';
import type { Route } from '@siphera/contract';
import type { CoreOutbox } from '../ground.ts';
import type { ExportActor } from '../store/export.store.ts';

/** A look at the same thing by the same person is a new one after this. */
const sameLookMs = 300_000;
const rememberedMax = 10_000;

type Who = Pick<Call<Route & { access: 'signed_in' }>, 'caller' | 'address'>;

export const actorOf = ({ caller }: Pick<Who, 'caller'>): ExportActor => ({
  kind: caller.claims.kind,
  id: caller.claims.sub,
  name: caller.claims.name,
});

export class LookLog {
  readonly #outbox: CoreOutbox;
  readonly #clock: Clock;
  readonly #seen = new Map<string, number>();

  constructor(outbox: CoreOutbox, clock: Clock) {
    this.#outbox = outbox;
    this.#clock = clock;
  }

  /** Before what was asked for is shown. */
  note(call: Who, action: string, target: string, detail: Record<string, unknown> = {}): void {
    const key = `${call.caller.claims.sub} ${action} ${target}`;
    const nowMs = this.#clock.monotonic();
    const before = this.#seen.get(key);
    if (before !== undefined && nowMs - before < sameLookMs) return;
    if (this.#seen.size >= rememberedMax) this.#seen.clear();
    this.#seen.set(key, nowMs);
    this.act(call, action, target, detail);
  }

  /** An act is written down each time. */
  act(call: Who, action: string, target: string, detail: Record<string, unknown> = {}): void {
    this.#outbox.audit({
      actor: actorOf(call),
      org_id: call.caller.claims.org,
      action,
      target,
      detail: { ...detail, address: call.address },
    });
  }
}
