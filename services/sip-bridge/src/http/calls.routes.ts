/** The history of calls. One's own are one's own; everybody's are for who may read phones where they took place. */
import { isGranted, type AccessClaims, type Permission } from '@siphera/contract';
import { AppError, fromRfc3339 } from '@siphera/runtime';
import type { PhoneHandlers } from '../ground.ts';
import type { CallOpeningStore } from '../store/call-opening.store.ts';
import type { CallRow, CallStore, CallView } from '../store/call.store.ts';
import { cursorOf, readCursor, toWire } from './call-wire.ts';

type Deps = { store: CallStore; openings: CallOpeningStore };

export const scopesWith = (claims: AccessClaims, permission: Permission): string[] =>
  claims.grants.filter(({ permissions }) => permissions.includes(permission)).map(({ scope }) => scope);

/** @throws AppError `not_found` unless the call is there and the caller holds the permission where it takes place. */
export function callFor(store: CallStore, claims: AccessClaims, permission: Permission, id: string): CallRow {
  const row = store.get(id);
  if (row?.orgId !== claims.org || !isGranted(claims.grants, permission, store.scopesOf(id)))
    throw new AppError('not_found', 'There is no such call.');
  return row;
}

export function callsHandlers({ store, openings }: Deps): Pick<PhoneHandlers, 'listPhoneCalls'> {
  return {
    listPhoneCalls: ({ caller: { claims }, query }) => {
      const view = viewOf(claims, query.of);
      const rows = store.list(view, {
        orgId: claims.org,
        outcome: query.outcome,
        fromMs: query.from === undefined ? undefined : fromRfc3339(query.from),
        toMs: query.to === undefined ? undefined : fromRfc3339(query.to),
        before: query.cursor === undefined ? undefined : readCursor(query.cursor),
        limit: query.limit + 1,
      });
      const shown = rows.slice(0, query.limit);
      const last = rows.length > query.limit ? shown.at(-1) : undefined;
      const opened = openings.of(shown.map(({ id }) => id));
      return Promise.resolve({
        items: shown.map((row) => toWire(row, opened)),
        ...(last ? { next_cursor: cursorOf(last) } : {}),
        // Calls are not on core's feed.
        feed_seq: 0,
      });
    },
  };
}

/** @throws AppError `forbidden` for everybody's calls without `phone.read`. */
function viewOf(claims: AccessClaims, of: 'mine' | 'all'): CallView {
  if (of === 'mine') return { userId: claims.sub };
  const scopes = scopesWith(claims, 'phone.read');
  if (scopes.length === 0)
    throw new AppError('forbidden', 'Calls of everybody need the permission phone.read.');
  return { scopes };
}
