/**
 * From an arrival to a committed event with all that follows from it: shape, duplicate, place, time, the row, the
 * device's state, the rules. Runs inside the writer's transaction; what cannot be an event becomes a dead letter, so
 * that nothing anyone sent is lost in silence.
 */
import { eventBytesMax } from '@siphera/contract/base';
import { fromRfc3339, newTraceId, type Statement } from '@siphera/runtime/base';
import type { EngineEvent } from '@siphera/rules';
import type { Tx } from '../kernel/transaction.ts';
import { applyEventToDevice } from '../registry/device-effects.ts';
import type { IndexedArea, IndexedDevice } from '../registry/store/registry-index.ts';
import { engineArea, engineDevice } from '../rules/engine-view.ts';
import type { WriterDeps } from '../writer-deps.ts';
import type { Arrival, DeadCode, Verdict } from './arrival.ts';
import { storeDeadLetter } from './dead-letter-store.ts';
import { judgeTime, type EventTime } from './domain/event-time.ts';
import { shapeEvent, type Shaped } from './event-shape.ts';
import { EventVolume } from './event-volume.ts';

type Place = { device: IndexedDevice | undefined; area: IndexedArea | undefined; siteId: string | undefined };
type Refusal = { code: DeadCode; reason: string };

export type IngestCounts = { committed: number; duplicates: number; deadLetters: number };

export class Ingest {
  readonly counts: IngestCounts = { committed: 0, duplicates: 0, deadLetters: 0 };
  readonly volume = new EventVolume();
  readonly #deps: WriterDeps;
  readonly #insert: Statement;
  /** Device clock minus ours, from state messages. Memory only: it is read anew at each connect. */
  readonly #skew = new Map<string, number>();

  constructor(deps: WriterDeps) {
    this.#deps = deps;
    this.#insert = deps.db.prepare(
      `INSERT INTO events (seq, org_id, site_id, area_id, device_id, origin, source, id, type, class, version, subject, time_ms, device_time_ms,
         recorded_ms, late_ms, delivery, clock_suspect, trace_id, data)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (origin, source, id) DO NOTHING`,
    );
  }

  noteSkew(agentId: string, skewMs: number): void {
    this.#skew.set(agentId, skewMs);
  }

  append(tx: Tx, arrival: Arrival): Verdict {
    if (arrival.bytes > eventBytesMax) return this.#refuse(tx, arrival, tooLarge(arrival.bytes), '');
    const shaped = shapeEvent(arrival.value);
    if ('code' in shaped) return this.#refuse(tx, arrival, shaped, shaped.id);
    const place = this.#place(arrival, shaped);
    if ('code' in place) return this.#refuse(tx, arrival, place, shaped.event.id);
    const { event } = shaped;
    const time = judgeTime(
      event.time === undefined ? undefined : fromRfc3339(event.time),
      tx.nowMs,
      this.#skew.get(arrival.agentId ?? '') ?? 0,
      arrival.mark,
    );
    const traceId = arrival.traceId ?? traceOf(event.traceparent) ?? newTraceId(tx.random);
    const seq = tx.nextSeq();
    const data = JSON.stringify(shaped.data);
    const stored = this.#insert.run(
      seq,
      arrival.orgId,
      place.siteId ?? null,
      place.area?.id ?? null,
      place.device?.id ?? null,
      arrival.origin,
      event.source,
      event.id,
      event.type,
      shaped.definition.class,
      shaped.definition.version,
      event.subject ?? null,
      time.timeMs,
      time.deviceTimeMs,
      tx.nowMs,
      time.lateMs,
      time.delivery,
      time.clockSuspect ? 1 : 0,
      traceId,
      data,
    );
    if (stored.changes === 0) {
      tx.afterCommit(() => {
        this.counts.duplicates += 1;
      });
      return { id: event.id, status: 'duplicate' };
    }
    // Counted when it is there to stay: a full disk undoes the same events each second.
    tx.afterCommit(() => {
      this.counts.committed += 1;
      this.volume.add(shaped.definition.class, tx.nowMs, data.length, seq);
    });
    this.#follow(tx, arrival, shaped, place, time, seq, traceId);
    return { id: event.id, status: 'accepted', seq };
  }

  deadLetter(tx: Tx, arrival: Arrival & { payload: string | Buffer }, code: DeadCode, reason: string): void {
    this.countDeadLetter(tx);
    storeDeadLetter(tx, arrival, code, reason);
  }

  countDeadLetter(tx: Tx): void {
    tx.afterCommit(() => {
      this.counts.deadLetters += 1;
    });
  }

  #follow(
    tx: Tx,
    arrival: Arrival,
    shaped: Shaped,
    place: Place,
    time: EventTime,
    seq: number,
    traceId: string,
  ): void {
    const { event, definition, data } = shaped;
    // A dead letter that is replayed tells of the past: it must not disarm an area or close a door today.
    if (time.delivery !== 'replayed')
      applyEventToDevice(tx, this.#deps, {
        type: event.type,
        device: place.device,
        area: place.area,
        data,
        nowMs: tx.nowMs,
        clockSuspect: time.clockSuspect,
        traceId,
      });
    const engineEvent: EngineEvent = {
      seq,
      type: event.type,
      class: definition.class,
      title: definition.title,
      source: event.source,
      time_ms: time.timeMs,
      received_ms: tx.nowMs,
      clock_suspect: time.clockSuspect,
      delivery: time.delivery,
      late_ms: time.lateMs,
      org_id: arrival.orgId,
      site_id: place.siteId,
      device: place.device ? engineDevice(this.#deps.index, place.device) : undefined,
      area: place.area ? engineArea(place.area) : undefined,
      data,
    };
    this.#deps.rules.onEvent(tx, engineEvent, traceId);
  }

  /** Where it happened, and whether this sender may say so. */
  #place(arrival: Arrival, { event, areaId, definition }: Shaped): Place | Refusal {
    const { index } = this.#deps;
    const device = this.#device(arrival, event.subject);
    if (device && 'code' in device) return device;
    const area = device ? index.area(device.areaId) : areaId === undefined ? undefined : index.area(areaId);
    if (area && area.orgId !== arrival.orgId)
      return { code: 'foreign_device', reason: 'The area belongs to another org.' };
    if (
      arrival.maySpeakFor &&
      !arrival.maySpeakFor(device?.scopes ?? area?.scopes ?? [`org:${arrival.orgId}`])
    ) {
      return { code: 'foreign_device', reason: 'The API key may not write events there.' };
    }
    // A report of an alarm that we cannot place still counts: it belongs to the org's first site.
    const siteId =
      device?.siteId ??
      area?.siteId ??
      arrival.siteId ??
      (definition.class === 'telemetry' ? undefined : index.firstSite(arrival.orgId));
    return { device, area, siteId };
  }

  #device(arrival: Arrival, subject: string | undefined): IndexedDevice | Refusal | undefined {
    const { index } = this.#deps;
    const id = subject ?? arrival.agentId;
    if (id === undefined) return undefined;
    const device = index.device(id);
    if (!device)
      return arrival.channel === 'rest' && !looksLikeId(id)
        ? undefined
        : {
            code: 'unknown_device',
            reason: `There is no device ${id.slice(0, 80)}. Add it, then replay this.`,
          };
    if (device.orgId !== arrival.orgId)
      return { code: 'foreign_device', reason: 'The device belongs to another org.' };
    if (
      arrival.agentId !== undefined &&
      device.id !== arrival.agentId &&
      device.parentId !== arrival.agentId
    ) {
      return {
        code: 'foreign_device',
        reason: 'The agent may speak for itself and for what hangs on it, not for this device.',
      };
    }
    return device;
  }

  #refuse(tx: Tx, arrival: Arrival, refusal: Refusal, id: string): Verdict {
    this.deadLetter(
      tx,
      { ...arrival, payload: JSON.stringify(arrival.value) ?? '' },
      refusal.code,
      refusal.reason,
    );
    return { id, status: 'dead_lettered', reason: refusal.reason };
  }
}

const tooLarge = (bytes: number): Refusal => ({
  code: 'too_large',
  reason: `${bytes} bytes; at most ${eventBytesMax} are taken.`,
});

const looksLikeId = (text: string): boolean => /^[0-9a-f]{8}-[0-9a-f]{4}-/.test(text);

/** Trace id of a W3C traceparent (Trace Context §3.2). */
const traceOf = (traceparent: string | undefined): string | undefined =>
  traceparent === undefined ? undefined : /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent)?.[1];
