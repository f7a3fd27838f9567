/**
 * Open incidents, live. The board, the alarm sound, the palette and the badge of the window all read this one list, so that
 * they can never disagree about what is new.
 */
import { defineStore } from 'pinia';
import { computed } from 'vue';
import { api, type Body, type Result } from '#api/client.ts';
import { createLiveCollection, type Snapshot } from '#app/live-collection.ts';
import { useRealtime } from '#app/realtime.store.ts';
import { useSession } from '#app/session.store.ts';

export type Incident = Result<'getIncident'>;
export type TimelineEntry = Result<'listTimeline'>['items'][number];
export type ResolutionCode = Body<'resolveIncident'>['code'];

/** 2,000 open incidents are read at most; a site with more has another problem, and the newest matter. */
const pagesMax = 10;
const rowsMax = 3_000;

async function loadOpen(): Promise<Snapshot<Incident>> {
  const items: Incident[] = [];
  let cursor: string | undefined;
  let feedSeq: number | undefined;
  for (let page = 0; page < pagesMax; page += 1) {
    const answer = await api('listIncidents', { query: { state: 'open', limit: 200, cursor } });
    items.push(...answer.items);
    // The oldest reading counts: what changed while later pages were read comes again by the feed.
    feedSeq ??= answer.feed_seq;
    cursor = answer.next_cursor;
    if (cursor === undefined) break;
  }
  return { items: items.reverse(), feed_seq: feedSeq ?? 0 };
}

export const isOpen = (incident: Incident): boolean =>
  incident.state === 'new' || incident.state === 'acknowledged' || incident.state === 'assigned';

export const useIncidents = defineStore('incidents', () => {
  const session = useSession();
  const collection = createLiveCollection<Incident>({
    kind: 'incident',
    feed: useRealtime(),
    load: loadOpen,
    rowsMax,
  });
  const unacknowledged = computed(() =>
    collection.items.value.filter((incident) => incident.state === 'new'),
  );

  /** Runs an act and shows its answer at once; the feed brings the same a moment later. */
  async function act(call: Promise<Incident>): Promise<Incident> {
    const incident = await call;
    collection.put(incident);
    return incident;
  }

  return {
    byId: collection.byId,
    items: collection.items,
    state: collection.state,
    error: collection.error,
    unacknowledged,
    ensure: collection.ensure,
    reload: collection.reload,
    put: collection.put,
    stop: collection.stop,
    /** May the user act on incidents at all? */
    mayAct: computed(() => session.may('incident.act')),
    acknowledge: (id: string) => act(api('acknowledgeIncident', { params: { id }, body: {} })),
    assign: (id: string, userId: string) =>
      act(api('assignIncident', { params: { id }, body: { user_id: userId } })),
    resolve: (id: string, body: Body<'resolveIncident'>) =>
      act(api('resolveIncident', { params: { id }, body })),
    close: (id: string) => act(api('closeIncident', { params: { id }, body: {} })),
    reopen: (id: string, reason: string) => act(api('reopenIncident', { params: { id }, body: { reason } })),
    setSeverity: (id: string, body: Body<'setIncidentSeverity'>) =>
      act(api('setIncidentSeverity', { params: { id }, body })),
    tick: (id: string, index: number, done: boolean) =>
      act(api('tickIncidentStep', { params: { id, index }, body: { done } })),
  };
});
