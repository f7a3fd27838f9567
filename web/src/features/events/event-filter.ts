/** Which live events belong to the list as it is filtered now. The box filters what is read; this filters what comes. */
import type { Item, Query } from '#api/client.ts';

export type StoredEvent = Item<'listEvents'>;
export type EventFilter = {
  q: string;
  type: string;
  class: string;
  areaId: string;
  deviceId: string;
  since: string;
  until: string;
};

export const noFilter: EventFilter = {
  q: '',
  type: '',
  class: '',
  areaId: '',
  deviceId: '',
  since: '',
  until: '',
};
/** Live events kept on the screen; older ones are read by page. */
export const liveMax = 500;

/** A local date and time of a form as the wire writes it. */
export const wireTime = (local: string): string | undefined => {
  const ms = Date.parse(local);
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
};

export function toQuery(filter: EventFilter): Query<'listEvents'> {
  return {
    q: filter.q.trim() || undefined,
    type: filter.type || undefined,
    class: (filter.class || undefined) as Query<'listEvents'>['class'],
    area_id: filter.areaId || undefined,
    device_id: filter.deviceId || undefined,
    since: wireTime(filter.since),
    until: wireTime(filter.until),
  };
}

/** `areas` holds the chosen area and all below it. */
export function isWanted(
  event: StoredEvent,
  filter: EventFilter,
  areas: ReadonlySet<string> | undefined,
): boolean {
  if (filter.type !== '' && event.type !== filter.type) return false;
  if (filter.class !== '' && event.class !== filter.class) return false;
  if (filter.deviceId !== '' && event.device_id !== filter.deviceId) return false;
  if (areas && !(event.area_id !== undefined && areas.has(event.area_id))) return false;
  const since = wireTime(filter.since);
  const until = wireTime(filter.until);
  if (since !== undefined && event.time < since) return false;
  if (until !== undefined && event.time > until) return false;
  const words = filter.q.trim().toLocaleLowerCase();
  return (
    words === '' ||
    JSON.stringify([event.title, event.type, event.device_name, event.area_name, event.data])
      .toLocaleLowerCase()
      .includes(words)
  );
}

/** Newest first, none twice, no more than fit. */
export function prepend(rows: readonly StoredEvent[], fresh: readonly StoredEvent[]): StoredEvent[] {
  const seen = new Set(rows.slice(0, liveMax).map((row) => row.seq));
  const added = fresh.filter((event) => !seen.has(event.seq)).sort((a, b) => b.seq - a.seq);
  return [...added, ...rows];
}
