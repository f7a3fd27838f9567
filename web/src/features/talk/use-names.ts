/** Names on the screen: of people, and of conversations after whom or what they are with. */
import type { Conversation } from '@siphera/talk';
import { shallowReactive } from 'vue';
import { useI18n } from 'vue-i18n';
import { api } from '#api/client.ts';
import { useIncidents } from '#features/incidents/incidents.store.ts';
import { shownName } from '#features/talk/people-names.ts';
import { useTalkPeople } from '#features/talk/use-people.ts';

/** Incidents that are closed and so not in the store of open ones; asked for once. */
const closed = shallowReactive(new Map<string, string>());
const asked = new Set<string>();

async function askIncident(id: string): Promise<void> {
  if (asked.has(id)) return;
  asked.add(id);
  try {
    const incident = await api('getIncident', { params: { id } });
    closed.set(id, `#${String(incident.number)} ${incident.title}`);
  } catch {
    // Not reachable, or not mine to see any more: the plain word stays until the page is opened again.
    closed.delete(id);
  }
}

type Named = Pick<Conversation, 'kind' | 'name' | 'incidentId' | 'memberIds' | 'id'>;

export function useNames() {
  const { t, locale } = useI18n();
  const people = useTalkPeople();
  const incidents = useIncidents();

  function incidentName(id: string): string {
    const open = incidents.byId.get(id);
    if (open) return `#${String(open.number)} ${open.title}`;
    const known = closed.get(id);
    if (known !== undefined) return known;
    // After the drawing that asked, which must not change what it reads.
    if (incidents.state === 'ready') queueMicrotask(() => void askIncident(id));
    return t('talk.incident.word');
  }
  const nameOf = (id: string): string =>
    id === people.me.value ? t('talk.you') : (people.nameOf(id) ?? t('talk.unknownPerson'));

  function nameOfConversation(conversation: Named): string {
    if (conversation.kind === 'incident' && conversation.incidentId)
      return incidentName(conversation.incidentId);
    if (conversation.kind === 'direct')
      return nameOf(conversation.memberIds[0] ?? conversation.id.slice('d:'.length));
    if (conversation.name) return shownName(conversation.name);
    return new Intl.ListFormat(locale.value).format(conversation.memberIds.slice(0, 3).map(nameOf));
  }
  /** Also of me: for initials. */
  const fullNameOf = (id: string): string => people.nameOf(id) ?? t('talk.unknownPerson');
  return { nameOf, fullNameOf, nameOfConversation };
}
