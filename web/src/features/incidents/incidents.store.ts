/**
 * Open incidents, live. The board, the alarm sound, the palette and the badge of the window all read this one list, so that
 * they can never disagree about what is new.
 */
import { defineStore } from 'pinia';
import { computed, watch } from 'vue';
import { api, type Body, type Result } from '#api/client.ts';
import { asApiError, type ApiError } from '#api/problem.ts';
import { boxTime } from '#app/clock.ts';
import { createLiveCollection, type Snapshot } from '#app/live-collection.ts';
import { useRealtime } from '#app/realtime.store.ts';
import { useSession } from '#app/session.store.ts';
import { keepIncidents, readKeptIncidents } from '#features/incidents/kept-incidents.ts';
import { useOffline } from '#features/offline/offline.store.ts';

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

/** As last seen, when the box is not there: the feed goes on from then, or says that it cannot. */
async function loadOrKept(): Promise<Snapshot<Incident>> {
  try {
    return await loadOpen();
  } catch (thrown) {
    const kept = isAway(asApiError(thrown)) ? await readKeptIncidents() : undefined;
    if (kept) return kept;
    throw thrown;
  }
}

/** Nothing was done, and may be later: the box was not reached, or is starting. */
const isAway = ({ code, problem }: ApiError): boolean =>
  code === 'network' || (code === 'unavailable' && problem.status >= 502);

/** A storm changes the list many times a second; the disk of a phone is spared. */
const keepMs = 2_000;

export const isOpen = (incident: Incident): boolean =>
  incident.state === 'new' || incident.state === 'acknowledged' || incident.state === 'assigned';

export const useIncidents = defineStore('incidents', () => {
  const session = useSession();
  const offline = useOffline();
  let feedSeq = 0;
  let keeping: ReturnType<typeof setTimeout> | undefined;
  const collection = createLiveCollection<Incident>({
    kind: 'incident',
    feed: useRealtime(),
    load: async () => {
      const snapshot = await loadOrKept();
      feedSeq = snapshot.feed_seq;
      return snapshot;
    },
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

  /** What the box cannot hear now is kept and shown as done; the box's own word replaces it. */
  async function actOrKeep(
    id: string,
    kind: 'acknowledge' | 'resolve',
    body: Record<string, unknown>,
    call: (idempotencyKey: string) => Promise<Incident>,
  ): Promise<Incident> {
    const key = crypto.randomUUID();
    try {
      return await act(call(key));
    } catch (thrown) {
      const row = collection.byId.value.get(id);
      if (!row || !isAway(asApiError(thrown))) throw thrown;
      if (!(await offline.keep({ id: key, incidentId: id, number: row.number, kind, body }))) throw thrown;
      const by = session.me ? { id: session.me.user.id, name: session.me.user.name } : null;
      const at = new Date(boxTime()).toISOString();
      const next: Incident =
        kind === 'acknowledge'
          ? { ...row, state: 'acknowledged', acknowledged_by: by, acknowledged_at: at }
          : { ...row, state: 'resolved', resolved_by: by, resolved_at: at };
      collection.put(next);
      return next;
    }
  }

  watch(collection.items, (items) => {
    clearTimeout(keeping);
    if (collection.state.value !== 'ready') return;
    keeping = setTimeout(() => void keepIncidents({ items, feed_seq: feedSeq }, boxTime()), keepMs);
  });

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
    acknowledge: (id: string) =>
      actOrKeep(id, 'acknowledge', {}, (idempotencyKey) =>
        api('acknowledgeIncident', { params: { id }, body: {}, idempotencyKey }),
      ),
    assign: (id: string, userId: string) =>
      act(api('assignIncident', { params: { id }, body: { user_id: userId } })),
    resolve: (id: string, body: Body<'resolveIncident'>) =>
      actOrKeep(id, 'resolve', body, (idempotencyKey) =>
        api('resolveIncident', { params: { id }, body, idempotencyKey }),
      ),
    close: (id: string) => act(api('closeIncident', { params: { id }, body: {} })),
    reopen: (id: string, reason: string) => act(api('reopenIncident', { params: { id }, body: { reason } })),
    setSeverity: (id: string, body: Body<'setIncidentSeverity'>) =>
      act(api('setIncidentSeverity', { params: { id }, body })),
    tick: (id: string, index: number, done: boolean) =>
      act(api('tickIncidentStep', { params: { id, index }, body: { done } })),
  };
});
