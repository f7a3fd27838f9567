/** Words of alarm calls on the timeline of their incident. */
import { internalPaths } from '@siphera/contract';
import type { Ground } from '../ground.ts';
import type { AlarmCallRow } from '../store/alarm-call.store.ts';

/** Kept until core has it; a second time it changes nothing there. */
export function postLine(
  outbox: Ground['outbox'],
  row: Pick<AlarmCallRow, 'id' | 'incidentId'>,
  text: string,
  data: Record<string, unknown>,
): void {
  outbox.post(internalPaths.incidentLine, {
    incident_id: row.incidentId,
    text,
    data: { alarm_call_id: row.id, ...data },
  });
}
