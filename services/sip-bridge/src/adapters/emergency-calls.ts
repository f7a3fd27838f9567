/**
 * Takes what Kamailio reports of emergency calls: keeps it, folds it, and lays down what core is to be told. What must stay
 * true: a report and all that follows from it are one commit; the same report again changes nothing.
 */
import type { EmergencyCall } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime';
import { callbackMs, foldCall, type EmergencyReport, type FoldedCall } from '../domain/emergency-fold.ts';
import { wordsOf } from '../domain/emergency-words.ts';
import type { Ground } from '../ground.ts';
import type { PlanBook } from '../plan.part.ts';
import type { CallRow, EmergencyCallStore } from '../store/emergency-call.store.ts';
import type { EmergencyPlaces } from './emergency-places.ts';

/** Reports of one call that are kept: calls back go on for two hours, and somebody may never tire of it. */
const reportsMax = 500;
/** Calls with the same Call-ID that are told apart. */
const sameIdMax = 50;

type Options = {
  ground: Ground;
  book: PlanBook;
  places: EmergencyPlaces;
  store: EmergencyCallStore;
  /** There is something to tell core. */
  onWords: () => void;
};
type Hear = (report: EmergencyReport, call: FoldedCall) => void;

export class EmergencyCalls {
  readonly #ground: Ground;
  readonly #book: PlanBook;
  readonly #places: EmergencyPlaces;
  readonly #store: EmergencyCallStore;
  readonly #onWords: () => void;
  readonly #listeners = new Set<Hear>();
  readonly #counter;

  constructor({ ground, book, places, store, onWords }: Options) {
    this.#ground = ground;
    this.#book = book;
    this.#places = places;
    this.#store = store;
    this.#onWords = onWords;
    this.#counter = ground.metrics.counter('emergency_reports_total', 'Reports of emergency calls by kind', [
      'kind',
    ]);
  }

  /** Told of each report after its commit. @returns how to stop hearing. */
  on(hear: Hear): () => void {
    this.#listeners.add(hear);
    return () => void this.#listeners.delete(hear);
  }

  /** @throws when it could not be kept: then it comes again. */
  take(report: EmergencyReport): void {
    let call: FoldedCall | undefined;
    let isNew = false;
    this.#store.transaction(() => {
      const { callId, before } = this.#reportsOf(report);
      if (before.length >= reportsMax && report.kind === 'callback') return;
      isNew = this.#store.addReport(report, callId);
      if (!isNew) return;
      call = foldCall([...before, report]);
      if (call) this.#follow(callId, call, report, before);
      else this.#ground.log.warn('emergency_callback_unknown', { uid: report.uid });
    });
    if (!isNew || !call) return;
    this.#counter.inc({ kind: report.kind === 'emergency' ? call.kind : report.kind });
    this.#onWords();
    for (const hear of this.#listeners) hear(report, call);
  }

  /**
   * A phone may use one Call-ID for two calls. The second is another emergency: it must not hide behind the first, so its
   * reports go by the Call-ID and a number.
   */
  #reportsOf(report: EmergencyReport): { callId: string; before: EmergencyReport[] } {
    const isDialled = report.kind === 'emergency' && report.state === 'dialled';
    const base = report.kind === 'emergency' ? report.call : report.emergency;
    let callId = base;
    let before = this.#store.reports(callId);
    for (let n = 2; n <= sameIdMax; n += 1) {
      const next = `${base} (${n})`;
      const later = this.#store.reports(next);
      const isOther = isDialled && before.some((one) => one.kind === 'emergency' && one.state === 'dialled');
      if (!isOther && later.length === 0) break;
      [callId, before] = [next, later];
    }
    return { callId, before };
  }

  #follow(
    callId: string,
    call: FoldedCall,
    report: EmergencyReport,
    before: readonly EmergencyReport[],
  ): void {
    const kept = this.#store.byCallId(callId);
    const row = this.#rowOf(callId, call, kept);
    this.#store.save(row);
    if (!kept) this.#store.prune();
    const named = this.#named(row, call);
    // Calls back that were heard before the call itself are told with it.
    const early = kept ? [] : before;
    const words = [report, ...early].flatMap((one, index) => wordsOf(one, named, !kept && index === 0));
    for (const word of words) this.#store.addWord({ ...word, emergency_call: row.id, at_ms: report.at_ms });
  }

  /** Names and places as they are now; what was known before stays, for a later change is not of that call. */
  #rowOf(callId: string, call: FoldedCall, kept: CallRow | undefined): CallRow {
    const location = call.locationId === null ? undefined : this.#places.get(call.locationId);
    const extension = call.from === null ? undefined : this.#book.extension(call.from);
    const person = extension?.user_id ? this.#ground.people.get(extension.user_id) : undefined;
    const area = extension?.area_id ? this.#ground.places.area(extension.area_id) : undefined;
    const [firstArea] = location?.area_ids ?? [];
    const isInLocation =
      area !== undefined && (location === undefined || location.area_ids.includes(area.id));
    const placed = this.#sitesOf(location ?? area);
    const trunks = [call.trunkId, ...call.attempts.map(({ trunkId }) => trunkId)].filter((id) => id !== null);
    return {
      id: kept?.id ?? this.#ground.random.uuid(),
      call_id: callId,
      org_id: kept?.org_id ?? placed?.org_id ?? null,
      site_id: kept?.site_id ?? placed?.site_id ?? null,
      area_id: kept?.area_id ?? (isInLocation ? area.id : (firstArea ?? null)),
      kind: call.kind,
      started_ms: call.startedMs,
      caller_name:
        kept && kept.caller_name !== '' ? kept.caller_name : (person?.name ?? extension?.name ?? ''),
      user_id: kept?.user_id ?? person?.id ?? null,
      location_label: kept?.location_label ?? location?.label ?? null,
      callback_number: call.callback,
      trunk_names: {
        ...Object.fromEntries(trunks.flatMap((id) => nameOf(id, this.#book.trunk(id)?.name))),
        ...kept?.trunk_names,
      },
      incident_id: kept?.incident_id ?? null,
    };
  }

  /** Organisation and site, so that the incident stands somewhere; core has to have said once which there are. */
  placeOf(row: CallRow): { orgId: string; siteId: string } | undefined {
    const sites = this.#ground.places.all().sites;
    const own = sites.find(({ id }) => id === row.site_id);
    const found = own ?? sites.find(({ id }) => id === this.#places.boxDefault()?.site_id) ?? sites[0];
    return found && { orgId: found.org_id, siteId: found.id };
  }

  #sitesOf(
    place: { org_id: string; site_id: string } | undefined,
  ): { org_id: string; site_id: string } | undefined {
    if (place) return place;
    const [only, ...more] = this.#ground.places.all().sites;
    return only && more.length === 0 ? { org_id: only.org_id, site_id: only.id } : undefined;
  }

  #named(row: CallRow, call: FoldedCall) {
    const site = this.#ground.places.all().sites.find(({ id }) => id === row.site_id);
    return {
      id: row.id,
      call,
      callerName: row.caller_name,
      locationLabel: row.location_label,
      trunkNames: row.trunk_names,
      siteId: row.site_id,
      areaId: row.area_id,
      timeZone: site?.time_zone,
    };
  }

  view(row: CallRow): EmergencyCall | undefined {
    const call = foldCall(this.#store.reports(row.call_id));
    return call && toView(row, call, this.#store.callbackTakenMs(row));
  }
}

const nameOf = (id: string, name: string | undefined): [string, string][] =>
  name === undefined ? [] : [[id, name]];
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** What Kamailio says is text of the wire until it is seen to be an id. */
const idOrNull = (text: string | null): string | null => (text !== null && uuid.test(text) ? text : null);
const timeOrNull = (ms: number | null): string | null => (ms === null ? null : toRfc3339(ms));

function toView(row: CallRow, call: FoldedCall, callbackTakenMs: number | undefined): EmergencyCall {
  const name = (id: string | null): string | null => (id === null ? null : (row.trunk_names[id] ?? id));
  const untilMs = Math.min(call.startedMs + callbackMs, callbackTakenMs ?? Infinity);
  return {
    id: row.id,
    kind: call.kind,
    number: call.number,
    dialled: call.dialled,
    caller: {
      number: call.from,
      name: row.caller_name,
      user_id: row.user_id,
      address: call.address,
      verified: call.verified,
    },
    location_id: idOrNull(call.locationId),
    location_label: row.location_label,
    location_by: call.locationBy,
    site_id: row.site_id,
    area_id: row.area_id,
    callback_number: call.callback,
    callback_until: call.callback === null ? null : toRfc3339(untilMs),
    trunk_id: idOrNull(call.trunkId),
    trunk_name: name(call.trunkId),
    style: call.style,
    state: call.state,
    started_at: toRfc3339(call.startedMs),
    sent_at: timeOrNull(call.sentMs),
    answered_at: timeOrNull(call.answeredMs),
    ended_at: timeOrNull(call.endedMs),
    attempts: call.attempts.map(({ trunkId, code, reason }) => ({
      trunk_id: idOrNull(trunkId),
      name: name(trunkId) ?? '',
      code,
      reason,
    })),
    incident_id: row.incident_id,
    callbacks: call.callbacks.map(({ atMs, from, reached }) => ({ at: toRfc3339(atMs), from, reached })),
  };
}
