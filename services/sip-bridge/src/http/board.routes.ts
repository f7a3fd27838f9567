/** Calls that go on now: who sees them, ends them, opens the door of one. */
import { AppError, type Caller } from '@siphera/runtime';
import type { InternalActor } from '@siphera/contract';
import type { DoorOpener } from '../adapters/door-opener.ts';
import { endDialog } from '../adapters/switch-dialogs.ts';
import type { Ground, PhoneHandlers } from '../ground.ts';
import type { CallOpeningStore } from '../store/call-opening.store.ts';
import type { CallRow, CallStore } from '../store/call.store.ts';
import { callFor, scopesWith } from './calls.routes.ts';
import { toWire } from './call-wire.ts';

type Deps = {
  ground: Pick<Ground, 'kamailio' | 'outbox'>;
  store: CallStore;
  openings: CallOpeningStore;
  opener: DoorOpener;
};
/** More than the plan lets go on at once. */
const shownMax = 500;

export function boardHandlers(
  deps: Deps,
): Pick<PhoneHandlers, 'listLiveCalls' | 'endPhoneCall' | 'openDoorOfCall'> {
  const { store, openings, opener } = deps;
  return {
    listLiveCalls: ({ caller: { claims } }) => {
      const rows = store.listLive(scopesWith(claims, 'phone.read'), claims.org, shownMax);
      const opened = openings.of(rows.map(({ id }) => id));
      return Promise.resolve({ items: rows.map((row) => toWire(row, opened)) });
    },

    endPhoneCall: async ({ caller, params }) => {
      const call = callFor(store, caller.claims, 'phone.manage', params.id);
      await endCall(deps, caller, call);
    },

    openDoorOfCall: async ({ caller, params, address }) => {
      const call = store.get(params.id);
      // Whether he may open that door is core's to say: it knows where the door is.
      if (call?.orgId !== caller.claims.org) throw new AppError('not_found', 'There is no such call.');
      // As a service core would take it for a phone of the house, whose rights are ours to check.
      if (caller.claims.kind === 'service')
        throw new AppError('forbidden', 'Doors of calls are opened by people and integrations.');
      return { command_id: await opener.open(call, actorOf(caller, address), 'button') };
    },
  };
}

const actorOf = ({ claims }: Caller, address: string): InternalActor => ({
  kind: claims.kind,
  id: claims.sub,
  name: claims.name,
  org_id: claims.org,
  grants: claims.grants,
  address,
});

/** Kamailio reports the end, as that of any call. */
async function endCall({ ground }: Deps, { claims }: Caller, call: CallRow): Promise<void> {
  if (call.direction === 'emergency')
    throw new AppError('conflict', 'An emergency call is ended by those who talk, and by nobody else.');
  if (call.endedMs !== null) throw new AppError('conflict', 'The call is over.');
  await endDialog(ground.kamailio, call.callId);
  ground.outbox.audit({
    actor: { kind: claims.kind, id: claims.sub, name: claims.name },
    org_id: claims.org,
    action: 'phone.call_ended',
    target: `phone_call:${call.id}`,
    detail: { from: call.from.number, to: call.to.number },
  });
}
