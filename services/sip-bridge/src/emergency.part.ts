/** Dispatchable locations, what Kamailio sends of them, notices to the desk, and drills. The emergency call itself needs none of it running. */
import { join } from 'node:path';
import { DrillRunner } from './adapters/drill-runner.ts';
import { EmergencyCalls } from './adapters/emergency-calls.ts';
import { EmergencyCourier } from './adapters/emergency-courier.ts';
import { EmergencyPlaces } from './adapters/emergency-places.ts';
import { PublicInfo } from './adapters/public-info.ts';
import type { Caller } from './alarm-calls.part.ts';
import type { Calls } from './calls.part.ts';
import { emergencyInfo } from './domain/emergency-info.ts';
import type { Ground, Part } from './ground.ts';
import { drillHandlers } from './http/drills.routes.ts';
import { emergencyHandlers } from './http/emergency.routes.ts';
import { locationImportHandlers } from './http/location-import.routes.ts';
import { locationHandlers } from './http/locations.routes.ts';
import type { PlanBook } from './plan.part.ts';
import { DrillStore } from './store/drill.store.ts';
import { EmergencyCallStore } from './store/emergency-call.store.ts';
import { LastPlaceStore } from './store/last-place.store.ts';
import { LocationStore } from './store/location.store.ts';

export function createEmergencyPart(
  ground: Ground,
  { book, caller, phoneCalls }: { book: PlanBook; caller: Caller; phoneCalls?: Calls },
): Part {
  const locations = new LocationStore(ground.db);
  const drills = new DrillStore(ground.db);
  const callStore = new EmergencyCallStore(ground.db);
  const places = new EmergencyPlaces({
    ground,
    book,
    store: locations,
    lastPlaces: new LastPlaceStore(ground.db),
    drills,
  });
  const info = new PublicInfo({
    directory: join(ground.config.SIP_DIR, 'public'),
    read: () =>
      emergencyInfo({
        domain: ground.config.SIP_DOMAIN,
        plan: book.plan(),
        locations: places.all(),
        defaultLocation: places.boxDefault(),
        trunks: book.trunks(),
      }),
    log: ground.log,
  });
  const courier = new EmergencyCourier({
    ground,
    store: callStore,
    placeOf: (row) => calls.placeOf(row),
    onIncident: ({ call_id: callId }, incidentId) => phoneCalls?.setIncident(callId, incidentId),
  });
  const calls = new EmergencyCalls({ ground, book, places, store: callStore, onWords: () => courier.wake() });
  const runner = new DrillRunner({ ground, book, places, calls, caller, store: drills });
  places.onChange(() => info.write());
  ground.kamailio.on((event) => {
    if (event.kind === 'emergency' || event.kind === 'callback') calls.take(event);
  });
  return {
    name: 'emergency',
    handlers: {
      ...emergencyHandlers({ ground, calls, info, store: callStore }),
      ...locationHandlers({ ground, book, places, store: locations }),
      ...locationImportHandlers({ ground, book, places, store: locations }),
      ...drillHandlers({ ground, places, runner, store: drills }),
    },
    checks: () => [courier.check()],
    start: () => {
      runner.start();
      places.start();
      info.write();
      courier.start();
    },
    stop: async () => {
      places.stop();
      await runner.stop();
      await courier.stop();
    },
  };
}
