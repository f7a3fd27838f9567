/** Dispatchable locations: adding, changing, importing them, what is wrong with them, and where I am. */
import {
  EmergencyLocationInput,
  isGranted,
  type EmergencyLocation,
  type MyLocation as MyLocationView,
} from '@siphera/contract';
import { AppError, toRfc3339, type Caller } from '@siphera/runtime';
import type { z } from 'zod';
import type { EmergencyPlaces } from '../adapters/emergency-places.ts';
import { errorsOf } from '../domain/location-findings.ts';
import { keptConfirmation, type Location } from '../domain/location-row.ts';
import { pidfLo } from '../domain/pidf-lo.ts';
import type { Ground, PhoneHandlers } from '../ground.ts';
import type { PlanBook } from '../plan.part.ts';
import type { LocationStore } from '../store/location.store.ts';
import { maySee } from './emergency-access.ts';
import { auditPlan, changedMeanwhile, ownOrNothing, requireOnOrg } from './plan-access.ts';

export type LocationDeps = {
  ground: Ground;
  book: PlanBook;
  places: EmergencyPlaces;
  store: LocationStore;
};
type MyLocation = z.infer<typeof MyLocationView>;
type Names =
  | 'listEmergencyLocations'
  | 'createEmergencyLocation'
  | 'updateEmergencyLocation'
  | 'deleteEmergencyLocation'
  | 'checkEmergencyLocation'
  | 'confirmEmergencyLocation'
  | 'getLocationCoverage'
  | 'getMyLocation'
  | 'putMyLocation';

/** All are on one page, with what is wrong with each: a third of a second of work. */
export const locationsMax = 1_000;

export function locationHandlers(deps: LocationDeps): Pick<PhoneHandlers, Names> {
  const { ground, places, store } = deps;
  return {
    listEmergencyLocations: async ({ caller }) => ({
      items: places.views(
        caller.claims.org,
        places.ofOrg(caller.claims.org).filter((location) => maySee(caller, ground.places, location)),
      ),
    }),

    createEmergencyLocation: async ({ caller, body }) => {
      requireOnOrg(caller, 'phone.manage');
      if (places.all().length >= locationsMax)
        throw new AppError('unprocessable', `There are ${locationsMax} locations already.`);
      const location: Location = {
        ...body,
        id: ground.random.uuid(),
        org_id: caller.claims.org,
        revision: 1,
        validated_ms: null,
        validated_by: null,
      };
      return save(deps, caller, location, 'emergency_location.create');
    },

    updateEmergencyLocation: async ({ caller, params, body }) => {
      requireOnOrg(caller, 'phone.manage');
      const before = ownLocation(deps, caller, params.id);
      const { revision, ...input } = body;
      if (revision !== before.revision) throw changedMeanwhile('location');
      const confirmation = keptConfirmation(before, input);
      const location = { ...before, ...input, ...confirmation, revision: revision + 1 };
      return save(deps, caller, location, 'emergency_location.update');
    },

    deleteEmergencyLocation: async ({ caller, params }) => {
      requireOnOrg(caller, 'phone.manage');
      const location = ownLocation(deps, caller, params.id);
      refuseWhileUsed(deps, location);
      store.remove(location.id, () =>
        auditPlan(ground.outbox, caller, {
          action: 'emergency_location.delete',
          target: `emergency_location:${location.id}`,
          detail: { label: location.label },
        }),
      );
      places.changed();
    },

    checkEmergencyLocation: async ({ caller, body }) => {
      requireOnOrg(caller, 'phone.manage');
      const findings = places.findings(caller.claims.org, body);
      return { findings, pidf_lo: pidfLo(body.civic) };
    },

    confirmEmergencyLocation: async ({ caller, params }) => {
      requireOnOrg(caller, 'phone.manage');
      const location = ownLocation(deps, caller, params.id);
      const errors = errorsOf(places.findings(location.org_id, location));
      if (errors.length > 0) throw refusal(errors);
      store.confirm(location.id, caller.claims.name, ground.clock.now(), () =>
        auditPlan(ground.outbox, caller, {
          action: 'emergency_location.confirm',
          target: `emergency_location:${location.id}`,
          detail: { label: location.label },
        }),
      );
      places.changed();
      return viewOf(deps, caller, params.id);
    },

    getLocationCoverage: async ({ caller: { claims } }) =>
      places.coverage(claims.org, (scopes) => isGranted(claims.grants, 'phone.read', scopes)),

    getMyLocation: async ({ caller }) => myLocation(deps, caller),

    putMyLocation: async ({ caller, body }) => {
      if (caller.claims.kind !== 'user') throw new AppError('forbidden', 'Only people are somewhere.');
      const location = ownLocation(deps, caller, body.location_id);
      places.say(caller.claims.sub, location.id);
      return myLocation(deps, caller);
    },
  };
}

const ownLocation = ({ places }: LocationDeps, caller: Caller, id: string): Location =>
  ownOrNothing(caller, places.get(id), 'location');

function viewOf(deps: LocationDeps, caller: Caller, id: string): EmergencyLocation {
  const location = ownLocation(deps, caller, id);
  const [view] = deps.places.views(location.org_id, [location]);
  if (!view) throw new AppError('internal', 'A location has no view.');
  return view;
}

/** @throws AppError naming each field that stands in the way. */
function save(deps: LocationDeps, caller: Caller, location: Location, action: string): EmergencyLocation {
  const { ground, places, store } = deps;
  if (ground.places.all().sites.length === 0)
    throw new AppError('unavailable', 'Sites and areas are not known yet.', {
      hint: 'Core has not answered.',
    });
  const errors = errorsOf(places.findings(location.org_id, location));
  if (errors.length > 0) throw refusal(errors);
  store.save([location], () =>
    auditPlan(ground.outbox, caller, {
      action,
      target: `emergency_location:${location.id}`,
      detail: EmergencyLocationInput.parse(location),
    }),
  );
  places.changed();
  return viewOf(deps, caller, location.id);
}

function refusal(errors: ReturnType<typeof errorsOf>): AppError {
  return new AppError(
    'validation_failed',
    errors
      .map(({ field, message }) => `${field}: ${message}`)
      .join('; ')
      .slice(0, 1_000),
    { extra: { errors: errors.map(({ field, message }) => ({ path: `body.${field}`, message })) } },
  );
}

/** Phones that would have no place, or another one than was set for them. */
function refuseWhileUsed({ book, places }: LocationDeps, location: Location): void {
  const extensions = book.extensions();
  const named = extensions.filter(({ location_id: id }) => id === location.id).map(({ number }) => number);
  if (named.length > 0)
    throw new AppError('in_use', `It is the location of ${listed(named)}.`, {
      hint: 'Give these numbers another one first.',
    });
  if (!location.is_default) return;
  const by = extensions
    .filter((extension) => {
      const placed = places.place({ ...extension });
      return placed?.by === 'site' && placed.loc === location.id;
    })
    .map(({ number }) => number);
  if (by.length > 0)
    throw new AppError(
      'in_use',
      `As the default of the site it is where ${listed(by)} would be looked for.`,
      {
        hint: 'Make another location the default of the site first.',
      },
    );
}

const listed = (numbers: readonly string[]): string =>
  numbers.length <= 5
    ? numbers.join(', ')
    : `${numbers.slice(0, 5).join(', ')} and ${numbers.length - 5} more`;

function myLocation({ book, places }: LocationDeps, { claims }: Caller): MyLocation {
  const extension = book.extensionOfUser(claims.sub);
  const said = places.said(claims.sub);
  const placed = places.place({
    location_id: extension?.location_id ?? null,
    area_id: extension?.area_id ?? null,
    user_id: claims.sub,
  });
  const view = (id: string | undefined, rest: Pick<MyLocation, 'by' | 'at' | 'stale'>): MyLocation => {
    const location = id === undefined ? undefined : places.get(id);
    return { location_id: location?.id ?? null, label: location?.label ?? null, ...rest };
  };
  if (placed && placed.by !== 'site' && placed.by !== 'last_known')
    return view(placed.loc, { by: 'phone', at: null, stale: false });
  if (said) return view(said.locationId, { by: 'said', at: toRfc3339(said.saidMs), stale: said.isStale });
  // The site is all that is known: he is asked.
  return view(placed?.loc, { by: placed ? 'site' : 'none', at: null, stale: true });
}
