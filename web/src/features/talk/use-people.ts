/** The people of the box for the pages of talk: by name, with what they do now. */
import { computed } from 'vue';
import { api } from '#api/client.ts';
import { boxTime, monotonic, useNow } from '#app/clock.ts';
import { useSession } from '#app/session.store.ts';
import { shownName } from '#features/talk/people-names.ts';
import { presenceWord, type PresenceWord } from '#features/talk/presence-word.ts';
import { useTalk, type TalkPerson } from '#features/talk/talk.store.ts';

/** People come and go seldom; what they do is told at once by other means. */
const freshMs = 60_000;
let readAt = Number.NEGATIVE_INFINITY;

export function useTalkPeople() {
  const talk = useTalk();
  const session = useSession();
  const now = useNow();
  const me = computed(() => session.me?.user.id ?? '');
  const byId = computed<ReadonlyMap<string, TalkPerson>>(
    () => new Map(talk.people.map((one) => [one.id, { ...one, name: shownName(one.name) }])),
  );

  return {
    me,
    byId,
    all: computed(() => [...byId.value.values()].sort((a, b) => a.name.localeCompare(b.name))),
    nameOf: (id: string): string | undefined => byId.value.get(id)?.name,
    wordOf: (id: string): PresenceWord => presenceWord(talk.presenceOf(id), now.value),
    mine: computed(() => talk.presenceOf(me.value)),
    reload: async (): Promise<void> => {
      await talk.loadPeople();
      readAt = monotonic();
    },
    /** Reads the directory unless that was done a moment ago; throws `ApiError`. */
    ensure: async (): Promise<void> => {
      if (talk.people.length > 0 && monotonic() - readAt < freshMs) return;
      await talk.loadPeople();
      readAt = monotonic();
    },
    setPresence: async (body: { on_duty?: boolean; dnd_until?: string | null }): Promise<void> => {
      await api('setPresence', { body });
      await talk.loadPeople();
    },
    inMinutes: (minutes: number): string => new Date(boxTime() + minutes * 60_000).toISOString(),
  };
}
