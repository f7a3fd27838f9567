/** All devices the user may see, live. Plans, incidents, doors and lists read this one collection. */
import { defineStore } from 'pinia';
import { api, type Result } from '#api/client.ts';
import { createLiveCollection, type Snapshot } from '#app/live-collection.ts';
import { useRealtime } from '#app/realtime.store.ts';

export type Device = Result<'getDevice'>;

/** One box serves a building: 20,000 devices are far beyond it. */
const pagesMax = 20;
const rowsMax = 20_000;

async function loadAll(): Promise<Snapshot<Device>> {
  const items: Device[] = [];
  let cursor: string | undefined;
  let feedSeq: number | undefined;
  for (let page = 0; page < pagesMax; page += 1) {
    const answer = await api('listDevices', { query: { limit: 1_000, cursor } });
    items.push(...answer.items);
    feedSeq ??= answer.feed_seq;
    cursor = answer.next_cursor;
    if (cursor === undefined) break;
  }
  return { items, feed_seq: feedSeq ?? 0 };
}

export const useDevices = defineStore('devices', () => {
  const collection = createLiveCollection<Device>({
    kind: 'device',
    feed: useRealtime(),
    load: loadAll,
    rowsMax,
  });
  return { ...collection };
});
