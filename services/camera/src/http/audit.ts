/** Rows of core's audit log about what somebody did here. */
import type { Caller } from '@siphera/runtime';
import type { CoreOutbox } from '../ground.ts';

/** Detail must hold no secret. Call it in the transaction of the change. */
export function auditOf(
  outbox: CoreOutbox,
  { claims }: Caller,
  what: { action: string; target: string; detail: Record<string, unknown> },
): void {
  outbox.audit({
    actor: { kind: claims.kind, id: claims.sub, name: claims.name },
    org_id: claims.org,
    ...what,
  });
}
