/** Tells core who rings at a door station, and whom nobody answered: once a visit, in the transaction of the call. */
import { toRfc3339 } from '@siphera/runtime';
import type { CallFacts } from '../domain/call-fold.ts';
import { visitAfter, visitSteps } from '../domain/door-call.ts';
import type { Ground } from '../ground.ts';
import type { PlanBook, PlannedExtension } from '../plan.part.ts';
import type { CallOpeningStore } from '../store/call-opening.store.ts';
import type { CallRow } from '../store/call.store.ts';

type Deps = {
  ground: Pick<Ground, 'outbox' | 'log'>;
  book: PlanBook;
  openings: CallOpeningStore;
};

export class DoorVisits {
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** A report, which came at `atMs`, made `after` of `before`. */
  follow(row: CallRow, before: CallFacts | undefined, after: CallFacts, atMs: number): void {
    const { book, openings } = this.#deps;
    const station = row.doorNumber === null ? undefined : book.extension(row.doorNumber);
    // A call to the station is no visit.
    if (station?.kind !== 'door' || row.from.number !== station.number) return;
    const isForButton =
      station.rings !== null && (after.to === station.rings || after.dialled === station.rings);
    for (const step of visitSteps(before, after, isForButton)) {
      const { visit, isMissed } = visitAfter(openings.visit(station.number), step, atMs);
      openings.saveVisit(station.number, visit);
      if (step === 'rings') this.#tell('intercom.called', station, row, atMs);
      if (isMissed) this.#tell('intercom.missed', station, row, atMs);
    }
  }

  #tell(
    type: 'intercom.called' | 'intercom.missed',
    station: PlannedExtension,
    row: CallRow,
    atMs: number,
  ): void {
    const { ground } = this.#deps;
    if (station.device_id === null) {
      ground.log.warn('door_station_without_device', { number: station.number, type });
      return;
    }
    ground.outbox.event({
      specversion: '1.0',
      // A call rings once and is missed once: told again after a crash, core knows it.
      id: `${row.id}:${type}`,
      source: `sip-bridge/door/${station.id}`,
      type,
      time: toRfc3339(atMs),
      subject: station.device_id,
      data: {
        direction: 'in',
        reason: (row.reason ?? `rings ${row.to.name || row.to.number}`).slice(0, 120),
        note: `${station.name} (${station.number}) called ${row.to.name} (${row.to.number || row.dialled})`,
        call_id: row.id,
        ...(station.camera_id === null ? {} : { camera_id: station.camera_id }),
        ...(station.door_id === null ? {} : { door_id: station.door_id }),
      },
    });
  }
}
