/** The timeline of one incident: read once, then followed. Oldest first; an entry that comes twice stands once. */
import type { FeedEntry } from '@siphera/contract';
import { computed, onBeforeUnmount, ref, shallowRef, watch, type Ref } from 'vue';
import { api } from '#api/client.ts';
import { asApiError, type ApiError } from '#api/problem.ts';
import { useRealtime } from '#app/realtime.store.ts';
import type { TimelineEntry } from '#features/incidents/incidents.store.ts';

/** 2,000 entries: a storm in one incident is still one page. */
const pagesMax = 10;

export function useTimeline(incidentId: Ref<string | undefined>) {
  const realtime = useRealtime();
  const byId = shallowRef(new Map<string, TimelineEntry>());
  const state = ref<'loading' | 'ready' | 'error'>('loading');
  const error = shallowRef<ApiError>();

  const put = (entries: readonly TimelineEntry[]): void => {
    byId.value = new Map([...byId.value, ...entries.map((entry) => [entry.id, entry] as const)]);
  };
  const follow = (entries: readonly FeedEntry[]): void => {
    const mine = entries
      .map((entry) => entry.data as TimelineEntry | undefined)
      .filter((entry) => entry !== undefined)
      .filter((entry) => entry.incident_id === incidentId.value);
    if (mine.length > 0) put(mine);
  };

  async function load(): Promise<void> {
    const id = incidentId.value;
    if (id === undefined) return;
    state.value = 'loading';
    try {
      let cursor: string | undefined;
      for (let page = 0; page < pagesMax; page += 1) {
        const answer = await api('listTimeline', { params: { id }, query: { limit: 200, cursor } });
        if (incidentId.value !== id) return;
        put(answer.items);
        cursor = answer.next_cursor;
        if (cursor === undefined) break;
      }
      state.value = 'ready';
    } catch (thrown) {
      error.value = asApiError(thrown);
      state.value = 'error';
    }
  }

  const stops = [realtime.on('timeline', follow), realtime.onGap(() => void load())];
  onBeforeUnmount(() => stops.forEach((stop) => stop()));
  watch(
    incidentId,
    () => {
      byId.value = new Map();
      void load();
    },
    { immediate: true },
  );

  return {
    entries: computed(() =>
      [...byId.value.values()].sort((a, b) => a.seq - b.seq || a.at.localeCompare(b.at)),
    ),
    state,
    error,
    reload: load,
    put,
  };
}
