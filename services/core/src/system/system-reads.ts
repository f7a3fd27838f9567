/** What the health and settings pages read from the database. */
import { authorise, orgScope } from '../kernel/access.ts';
import type { ReadContext } from '../kernel/transaction.ts';
import { readSettings, type StoredSettings } from './store/settings.store.ts';

export const systemReads = {
  getSettings: ({ db, actor }: ReadContext, _input: Record<string, never>): StoredSettings => {
    authorise(actor, 'system.read', orgScope(actor.orgId));
    return readSettings(db, actor.orgId);
  },

  /** Also the right to see the health page: a service's health is not of one site. */
  databaseHealth: ({ db, actor }: ReadContext, _input: Record<string, never>) => {
    authorise(actor, 'system.read', orgScope(actor.orgId));
    const pages = Number(db.pragma('page_count', { simple: true }));
    const pageBytes = Number(db.pragma('page_size', { simple: true }));
    const newest = db
      .prepare<[], { at_ms: number | null }>(
        'SELECT max(at_ms) AS at_ms FROM (SELECT at_ms FROM changes ORDER BY seq DESC LIMIT 1)',
      )
      .get();
    const camera = db
      .prepare(`SELECT 1 FROM devices WHERE kind = 'camera' AND deleted_ms IS NULL LIMIT 1`)
      .get();
    return {
      bytes: pages * pageBytes,
      newestCommitMs: newest?.at_ms ?? 0,
      hasCameras: camera !== undefined,
    };
  },
};
