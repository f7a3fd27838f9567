/** The event types the box knows. They change with the box's version only, so they are read once. */
import { defineStore } from 'pinia';
import { computed } from 'vue';
import { api, type Item } from '#api/client.ts';
import { useSession } from '#app/session.store.ts';
import { useResource } from '#ui/use-resource.ts';

export type EventType = Item<'listEventTypes'>;

export const useEventTypes = defineStore('event-types', () => {
  const session = useSession();
  const resource = useResource(async () =>
    session.may('event.read') ? (await api('listEventTypes')).items : [],
  );
  const items = computed<readonly EventType[]>(() => resource.data.value ?? []);
  const byType = computed(() => new Map(items.value.map((one) => [one.type, one])));
  return {
    items,
    byType,
    error: resource.error,
    loading: resource.loading,
    reload: resource.reload,
    ensure: async (): Promise<void> => {
      if (!resource.data.value) await resource.reload();
    },
    title: (type: string): string => byType.value.get(type)?.title ?? type,
  };
});
