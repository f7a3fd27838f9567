/**
 * How often alarm calls go to numbers outside: each costs, and a rule that goes wild would ring somebody all day. What must stay true:
 * core is told before the limit is reached, once a day; numbers of the house have none.
 */
import type { IncomingEvent } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime';
import { alarmDailyCap } from '../domain/alarm-number.ts';
import type { Ground } from '../ground.ts';
import type { PlanBook } from '../plan.part.ts';
import type { AlarmCallStore } from '../store/alarm-call.store.ts';

/** Calls of 24 hours to one number: every quarter of an hour, for who is on call all day. */
const numberCallsMax = 100;
/** Core is told from here on. */
const nearShare = 0.8;
const windowMs = 24 * 3_600_000;

type Deps = {
  ground: Pick<Ground, 'clock' | 'outbox'>;
  book: Pick<PlanBook, 'extension'>;
  store: Pick<AlarmCallStore, 'callsSince'>;
};

/** Asked before each call. @returns why the number is not called, in words; undefined: it is. */
export function alarmLimit(deps: Deps, orgId: string, number: string): string | undefined {
  const { ground, book, store } = deps;
  if (book.extension(number)) return undefined;
  const nowMs = ground.clock.now();
  const outside = store.callsSince(nowMs - windowMs).filter((one) => !book.extension(one.number));
  const own = outside.find((one) => one.number === number)?.calls ?? 0;
  const all = outside.reduce((sum, { calls }) => sum + calls, 0);
  const tell = (what: string, note: string): void =>
    ground.outbox.event(limitEvent(orgId, what, note, nowMs));
  if (all >= alarmDailyCap * nearShare)
    tell('all', `${all} of ${alarmDailyCap} alarm calls to numbers outside within a day`);
  if (own >= numberCallsMax * nearShare)
    tell(number, `${own} of ${numberCallsMax} alarm calls to ${number} within a day`);
  // Kamailio counts too, but in its memory alone.
  if (all >= alarmDailyCap)
    return `was not called: ${alarmDailyCap} alarm calls went to numbers outside within a day, and that is the most`;
  return own >= numberCallsMax
    ? `was called ${numberCallsMax} times within a day, and that is the most for a number outside`
    : undefined;
}

/** The same of one day is the same event. */
const limitEvent = (orgId: string, what: string, note: string, nowMs: number): IncomingEvent => ({
  specversion: '1.0',
  id: `phone.alarm_calls_many:${orgId}:${what}:${toRfc3339(nowMs).slice(0, 10)}`,
  source: 'sip-bridge/alarm',
  type: 'phone.alarm_calls_many',
  time: toRfc3339(nowMs),
  datacontenttype: 'application/json',
  orgid: orgId,
  data: { note },
});
