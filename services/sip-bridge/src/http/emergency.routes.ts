/** Emergency calls that were, and what a page may know with nobody signed in. */
import { AppError } from '@siphera/runtime';
import type { EmergencyCalls } from '../adapters/emergency-calls.ts';
import type { PublicInfo } from '../adapters/public-info.ts';
import type { Ground, PhoneHandlers } from '../ground.ts';
import type { CallRow, EmergencyCallStore } from '../store/emergency-call.store.ts';
import { maySee } from './emergency-access.ts';

export type EmergencyDeps = {
  ground: Ground;
  calls: EmergencyCalls;
  info: PublicInfo;
  store: EmergencyCallStore;
};

/** Rows looked at for one page: who sees few of them pages on. */
const lookedAtMax = 2_000;

export function emergencyHandlers({
  ground,
  calls,
  info,
  store,
}: EmergencyDeps): Pick<PhoneHandlers, 'getEmergencyInfo' | 'listEmergencyCalls'> {
  return {
    getEmergencyInfo: async () => info.info(),

    listEmergencyCalls: async ({ caller, query: { kind, cursor, limit } }) => {
      const items: CallRow[] = [];
      let before = cursor === undefined ? undefined : readCursor(cursor);
      let last: CallRow | undefined;
      let isMore = true;
      for (let looked = 0; isMore && items.length < limit && looked < lookedAtMax; looked += limit) {
        const rows = store.list({ kind, before }, limit + 1);
        isMore = rows.length > limit;
        for (const row of rows.slice(0, limit)) {
          if (items.length === limit) {
            isMore = true;
            break;
          }
          last = row;
          if (maySee(caller, ground.places, { ...row, area_ids: row.area_id === null ? [] : [row.area_id] }))
            items.push(row);
        }
        before = last;
      }
      return {
        items: items.flatMap((row) => calls.view(row) ?? []),
        // These are not in core's feed: a page is read again.
        feed_seq: 0,
        ...(isMore && last ? { next_cursor: writeCursor(last) } : {}),
      };
    },
  };
}

const writeCursor = ({ started_ms: ms, id }: CallRow): string => `${ms}.${id}`;

function readCursor(text: string): Pick<CallRow, 'started_ms' | 'id'> {
  const [, ms, id] = /^(-?\d{1,16})\.([0-9a-f-]{36})$/.exec(text) ?? [];
  if (ms === undefined || id === undefined)
    throw new AppError('validation_failed', 'The cursor is not one of ours.');
  return { started_ms: Number(ms), id };
}
