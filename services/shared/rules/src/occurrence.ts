/** What a rule judges: an event that arrived, or an absence that came due. One shape, so that both go the same way. */
import type { EngineArea, EngineDevice, EngineEvent } from './types.ts';

export type Occurrence = {
  seq: number | undefined;
  /** What it is called in titles: the event type's title, or the absence in words. */
  title: string;
  source: string;
  data: Readonly<Record<string, unknown>>;
  /** When it happened: device time when plausible. Schedules and counts look at this. */
  occurred_ms: number;
  /** The box's clock. Cooldowns and deadlines look at this. */
  received_ms: number;
  late_ms: number;
  device: EngineDevice | undefined;
  area: EngineArea | undefined;
  test: boolean;
};

export function occurrenceOf(event: EngineEvent): Occurrence {
  return {
    seq: event.seq,
    title: event.title,
    source: event.source,
    data: event.data,
    occurred_ms: event.clock_suspect ? event.received_ms : event.time_ms,
    received_ms: event.received_ms,
    late_ms: event.delivery === 'late' ? Math.max(0, event.late_ms) : 0,
    device: event.device,
    area: event.area ?? event.device?.area,
    test: event.type === 'system.test_alarm',
  };
}

export type KeyKind = 'device' | 'area' | 'rule';

/**
 * The key that counts, cooldowns and incidents are kept by. What has no device is told apart by its source, so that two
 * panels without an adopted device do not share one count.
 */
export function keyOf(kind: KeyKind, occurrence: Occurrence): string {
  if (kind === 'rule') return 'rule';
  if (kind === 'area' && occurrence.area) return `area:${occurrence.area.id}`;
  return occurrence.device ? `device:${occurrence.device.id}` : `source:${occurrence.source}`;
}
