/** Alarm calls as people see and stop them. */
import { isGranted, type AlarmCall } from '@siphera/contract';
import { AppError, toRfc3339 } from '@siphera/runtime';
import type { AlarmRunner } from '../adapters/alarm-runner.ts';
import type { Ground, PhoneHandlers } from '../ground.ts';
import type { AlarmCallRow, AlarmCallStore } from '../store/alarm-call.store.ts';
import { cursorOf, readCursor } from './call-wire.ts';
import { scopesWith } from './calls.routes.ts';

type Deps = { ground: Pick<Ground, 'outbox'>; store: AlarmCallStore; runner: Pick<AlarmRunner, 'halt'> };

export function alarmCallsHandlers({
  ground,
  store,
  runner,
}: Deps): Pick<PhoneHandlers, 'listAlarmCalls' | 'stopAlarmCall'> {
  return {
    listAlarmCalls: ({ caller: { claims }, query }) => {
      const rows = store.list(scopesWith(claims, 'phone.read'), {
        orgId: claims.org,
        incidentId: query.incident_id,
        before: query.cursor === undefined ? undefined : readCursor(query.cursor),
        limit: query.limit + 1,
      });
      const shown = rows.slice(0, query.limit);
      const last = rows.length > query.limit ? shown.at(-1) : undefined;
      return Promise.resolve({
        items: shown.map(toWire),
        ...(last ? { next_cursor: cursorOf(last) } : {}),
        feed_seq: 0,
      });
    },

    stopAlarmCall: ({ caller: { claims }, params }) => {
      const row = store.get(params.id);
      if (row?.orgId !== claims.org || !isGranted(claims.grants, 'incident.act', row.scopes))
        throw new AppError('not_found', 'There is no such alarm call, or you may not stop it.');
      if (runner.halt(row.id, claims.name))
        ground.outbox.audit({
          actor: { kind: claims.kind, id: claims.sub, name: claims.name },
          org_id: claims.org,
          action: 'phone.alarm_call_stopped',
          target: `incident:${row.incidentId}`,
          detail: { alarm_call_id: row.id },
        });
      return Promise.resolve();
    },
  };
}

const toWire = (row: AlarmCallRow): AlarmCall => ({
  id: row.id,
  incident_id: row.incidentId,
  text: row.say,
  state: row.state,
  attempts: row.attempts.map(({ number, name, atMs, outcome, detail }) => ({
    number,
    name,
    at: toRfc3339(atMs),
    outcome,
    detail,
  })),
  started_at: toRfc3339(row.startedMs),
  ended_at: row.endedMs === null ? null : toRfc3339(row.endedMs),
});
