/** Raw frames over REST, newest first. Frames of accounts that are nobody's yet are for those who see the whole organisation. */
import { isGranted, type panelRoutes } from '@siphera/contract';
import { AppError, type Handlers } from '@siphera/runtime';
import type { AccountStore } from '../store/account.store.ts';
import type { FrameStore } from '../store/frame.store.ts';
import { mayOnAccount } from './access.ts';
import { toPanelFrame } from './wire.ts';

type FrameHandlers = Pick<Handlers<typeof panelRoutes>, 'listFrames'>;

export function frameHandlers(parts: {
  accounts: AccountStore;
  frames: FrameStore;
  feedPosition: () => number;
}): FrameHandlers {
  return {
    listFrames: async ({ caller: { claims }, query }) => {
      const rows = parts.accounts.list();
      const mine = rows.filter((row) => mayOnAccount(claims, 'panel.read', row)).map((row) => row.account);
      const foreign = rows.some((row) => row.org_id !== null && row.org_id !== claims.org);
      const all = isGranted(claims.grants, 'panel.read', [`org:${claims.org}`]) && !foreign;
      const visible =
        query.account === undefined ? mine : mine.filter((account) => account === query.account);
      const page = parts.frames.page({
        before: readCursor(query.cursor),
        limit: query.limit + 1,
        accounts: all && query.account === undefined ? undefined : visible,
      });
      const items = page.slice(0, query.limit);
      const last = items.at(-1);
      return {
        items: items.map(toPanelFrame),
        feed_seq: parts.feedPosition(),
        ...(page.length > query.limit && last ? { next_cursor: String(last.id) } : {}),
      };
    },
  };
}

function readCursor(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  if (!/^\d{1,15}$/.test(cursor)) throw new AppError('validation_failed', 'The cursor is not one of ours.');
  return Number(cursor);
}
