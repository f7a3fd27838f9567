/**
 * Takes what Kamailio reports about calls into their records. What must stay true: one report is one transaction, with all that
 * follows of it (the events of a door station among it); the same report again changes nothing.
 */
import {
  addStep,
  readCall,
  stepOfCall,
  stepOfEmergency,
  type CallFacts,
  type CallStep,
} from '../domain/call-fold.ts';
import type { SwitchEvent } from '../domain/switch-event.ts';
import type { Ground } from '../ground.ts';
import type { PlanBook } from '../plan.part.ts';
import type { CallRow, CallStore } from '../store/call.store.ts';
import { partiesOf } from './calls-parties.ts';
import type { DoorVisits } from './door-visits.ts';

type Deps = {
  ground: Pick<Ground, 'db' | 'clock' | 'random' | 'people' | 'places'>;
  book: PlanBook;
  store: CallStore;
  visits: DoorVisits;
  /** Told after the commit when a call is over. */
  onEnd(id: string): void;
};

export class CallsRecorder {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  hear(event: SwitchEvent): void {
    if (event.kind === 'call') this.take(event.call, stepOfCall(event));
    else if (event.kind === 'emergency') this.take(event.call, stepOfEmergency(event));
  }

  take(callId: string, step: CallStep): void {
    const { ground, store } = this.#deps;
    const row = ground.db.transaction(() => this.#fold(store.byCallId(callId), callId, step)).immediate();
    if (row?.state === 'ended') this.#deps.onEnd(row.id);
  }

  /** @returns undefined when it changes nothing: the report is known, or the call is closed for good. */
  #fold(known: CallRow | undefined, callId: string, step: CallStep): CallRow | undefined {
    if (known && !known.steps) return undefined;
    const before = known?.steps ?? [];
    const steps = addStep(before, step);
    if (steps === before) return undefined;
    const facts = readCall(steps);
    const row = this.#save(known, callId, steps, facts);
    this.#deps.visits.follow(row, before.length > 0 ? readCall(before) : undefined, facts, step.atMs);
    return row;
  }

  #save(known: CallRow | undefined, callId: string, steps: readonly CallStep[], facts: CallFacts): CallRow {
    const { ground, book, store } = this.#deps;
    const { orgId, from, to, answeredBy, trunk, door, users, scopes } = partiesOf(ground, book, facts);
    const row: CallRow = {
      id: known?.id ?? ground.random.uuid(),
      callId,
      orgId,
      direction: facts.direction,
      state: facts.state,
      outcome: facts.outcome ?? null,
      reason: facts.reason ?? null,
      from,
      to,
      dialled: facts.dialled.slice(0, 64),
      answeredBy,
      trunkId: trunk?.id ?? null,
      trunkName: trunk?.name ?? null,
      relayed: facts.relayed,
      doorNumber: door?.number ?? null,
      doorId: door?.door_id ?? null,
      cameraId: door?.camera_id ?? null,
      incidentId: known?.incidentId ?? null,
      startedMs: facts.startedMs,
      answeredMs: facts.answeredMs ?? null,
      endedMs: facts.endedMs ?? null,
      heardMs: ground.clock.now(),
      steps,
    };
    store.save(row);
    if (!known || !haveSameParties(known, row)) store.saveParties(row, users, scopes);
    return row;
  }
}

/** Then whose call it is was written already: the list is made once or twice a call, and not with each report. */
const haveSameParties = (a: CallRow, b: CallRow): boolean =>
  a.startedMs === b.startedMs &&
  a.orgId === b.orgId &&
  a.direction === b.direction &&
  a.from.number === b.from.number &&
  a.to.number === b.to.number &&
  a.answeredBy === b.answeredBy;
