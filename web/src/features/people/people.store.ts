/** Users and groups by name, for forms that choose among them. Empty for a role that may not read them. */
import { defineStore } from 'pinia';
import { computed } from 'vue';
import { api, type Item } from '#api/client.ts';
import { useSession } from '#app/session.store.ts';
import { useResource } from '#ui/use-resource.ts';

export type Person = Item<'listUsers'>;
export type Group = Item<'listGroups'>;

/** A site has hundreds of users; this many pages of 200 are far beyond it. */
const pagesMax = 20;

async function readUsers(): Promise<Person[]> {
  const users: Person[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax; page += 1) {
    const answer = await api('listUsers', { query: { limit: 200, cursor } });
    users.push(...answer.items);
    cursor = answer.next_cursor;
    if (cursor === undefined) break;
  }
  return users;
}

export const usePeople = defineStore('people', () => {
  const session = useSession();
  const users = useResource(async () => (session.may('identity.read') ? readUsers() : []));
  const groups = useResource(async () =>
    session.may('identity.read') ? (await api('listGroups')).items : [],
  );
  const names = computed(
    () =>
      new Map([...(users.data.value ?? []), ...(groups.data.value ?? [])].map((one) => [one.id, one.name])),
  );
  return {
    users: computed(() => users.data.value ?? []),
    groups: computed(() => groups.data.value ?? []),
    usersLoading: users.loading,
    usersError: users.error,
    groupsLoading: groups.loading,
    groupsError: groups.error,
    name: (id: string): string | undefined => names.value.get(id),
    userOptions: computed(() =>
      (users.data.value ?? []).map((one) => ({ value: one.id, label: one.name, hint: one.email })),
    ),
    groupOptions: computed(() =>
      (groups.data.value ?? []).map((one) => ({ value: one.id, label: one.name })),
    ),
    reload: async (): Promise<void> => {
      await Promise.all([users.reload(), groups.reload()]);
    },
    ensure: async (): Promise<void> => {
      await Promise.all([
        users.data.value ? undefined : users.reload(),
        groups.data.value ? undefined : groups.reload(),
      ]);
    },
  };
});
