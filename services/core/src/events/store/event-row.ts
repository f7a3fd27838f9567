/** An event as a row, and as the wire shows it. */
import { eventTypes, type Delivery, type EventClass, type StoredEvent } from '@siphera/contract/base';
import { toRfc3339 } from '@siphera/runtime/base';

export type EventRow = {
  seq: number;
  org_id: string;
  site_id: string | null;
  area_id: string | null;
  device_id: string | null;
  source: string;
  id: string;
  type: string;
  class: string;
  version: number;
  subject: string | null;
  time_ms: number;
  recorded_ms: number;
  late_ms: number;
  delivery: string;
  clock_suspect: number;
  trace_id: string;
  data: string;
  device_name: string | null;
  area_name: string | null;
};

/** For `FROM events e LEFT JOIN devices d … LEFT JOIN areas a …`. */
export const eventColumns = `e.seq, e.org_id, e.site_id, e.area_id, e.device_id, e.source, e.id, e.type, e.class, e.version, e.subject,
  e.time_ms, e.recorded_ms, e.late_ms, e.delivery, e.clock_suspect, e.trace_id, e.data, d.name AS device_name, a.name AS area_name`;

export function toStoredEvent(row: EventRow): StoredEvent {
  return {
    specversion: '1.0',
    seq: row.seq,
    id: row.id,
    source: row.source,
    type: row.type,
    class: row.class as EventClass,
    version: row.version,
    title: eventTypes[row.type]?.title ?? row.type,
    time: toRfc3339(row.time_ms),
    recordedtime: toRfc3339(row.recorded_ms),
    late_ms: row.late_ms,
    delivery: row.delivery as Delivery,
    clock_suspect: row.clock_suspect === 1,
    orgid: row.org_id,
    trace_id: row.trace_id,
    data: JSON.parse(row.data) as Record<string, unknown>,
    ...(row.subject === null ? {} : { subject: row.subject }),
    ...(row.device_id === null ? {} : { device_id: row.device_id }),
    ...(row.device_name === null ? {} : { device_name: row.device_name }),
    ...(row.area_id === null ? {} : { area_id: row.area_id }),
    ...(row.area_name === null ? {} : { area_name: row.area_name }),
    ...(row.site_id === null ? {} : { siteid: row.site_id }),
  };
}
