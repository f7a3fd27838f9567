/**
 * Supervision of accounts (§5.5.2): silence longer than the interval is an event, the next message ends it.
 * Only time in which we listened counts: while the receiver was down, no panel could be heard.
 */
import type { IncomingEvent } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime';
import type { Account } from './account.ts';
import { eventSource, scopeOf } from './panel-event.ts';

export type Supervised = { supervisionMs: number; heardMs: number };

/** How long the account is overdue, in ms; undefined while it is in time. */
export function overdueMs(supervised: Supervised, nowMs: number): number | undefined {
  const silentMs = nowMs - supervised.heardMs;
  return silentMs > supervised.supervisionMs ? silentMs : undefined;
}

/**
 * By how much to move `heardMs` forward. `wallMs` and `monotonicMs` passed since the last look: when the wall clock was
 * set, the difference is not silence.
 */
export const clockStepMs = (wallMs: number, monotonicMs: number, toleranceMs: number): number =>
  Math.abs(wallMs - monotonicMs) > toleranceMs ? wallMs - monotonicMs : 0;

export function supervisionEvent(
  account: Account,
  what: { type: 'panel.supervision_lost'; silentMs: number } | { type: 'panel.supervision_restored' },
  stamp: { id: string; nowMs: number; traceparent: string },
): IncomingEvent {
  return {
    specversion: '1.0',
    id: stamp.id,
    source: eventSource(account.account),
    type: what.type,
    time: toRfc3339(stamp.nowMs),
    datacontenttype: 'application/json',
    traceparent: stamp.traceparent,
    ...(account.deviceId ? { subject: account.deviceId } : {}),
    ...(account.areaId ? { areaid: account.areaId } : {}),
    ...scopeOf(account),
    data: {
      account: account.account,
      ...(account.name === '' ? {} : { panel_name: account.name }),
      ...('silentMs' in what ? { silent_ms: Math.round(what.silentMs) } : {}),
    },
  };
}
