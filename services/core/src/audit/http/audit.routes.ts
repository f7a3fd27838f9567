/** REST of the audit log: list, export, verify. Looking at it is itself audited. */
import { Readable } from 'node:stream';
import { toRfc3339, type Handlers } from '@siphera/runtime';
import { contextOf, type AppDeps } from '../../app-deps.ts';
import type { auditRoutes } from '../../http-routes.ts';
import type { CallContext } from '../../kernel/box.ts';
import type { AuditFilter } from '../audit-reads.ts';
import { genesisHash } from '../store/audit-append.store.ts';
import { noteLook } from './note-look.ts';

/** Rows of one reading: the reader serves other callers in between. */
const chunkRows = 2_000;

export const auditHandlers = (app: AppDeps): Handlers<auditRoutes> => ({
  listAudit: async (call) => {
    const page = await app.box.read('listAudit', contextOf(call), call.query);
    // Turning a page is the same look.
    if (call.query.cursor === undefined)
      await noteLook(app, contextOf(call), 'audit.viewed', 'audit', given(call.query));
    return page;
  },

  verifyAudit: async (call) => {
    const context = contextOf(call);
    let state = { after: 0, previous: genesisHash, rows: 0, done: false } as Walk;
    let rows = 0;
    while (!state.done) {
      state = await app.box.read('verifyAuditChunk', context, {
        after: state.after,
        previous: state.previous,
        limit: chunkRows,
      });
      rows += state.rows;
    }
    const ok = state.badSeq === undefined;
    await noteLook(app, context, 'audit.verified', 'audit', { ok, rows });
    return {
      ok,
      rows,
      ...(state.badSeq === undefined ? {} : { first_bad_seq: state.badSeq }),
      head_hash: state.previous,
      checked_at: toRfc3339(app.clock.now()),
    };
  },

  exportAudit: async (call) => {
    const context = contextOf(call);
    // The first chunk also checks the right, while the answer can still be a refusal.
    const first = await app.box.read('auditChunk', context, { ...call.query, after: 0, limit: chunkRows });
    await noteLook(app, context, 'audit.exported', 'audit', given(call.query));
    return {
      mediaType: 'application/x-ndjson',
      fileName: `siphera-audit-${toRfc3339(app.clock.now()).slice(0, 10)}.ndjson`,
      body: Readable.from(exportLines(app, context, call.query, first)),
    };
  },
});

type Walk = { after: number; previous: string; rows: number; done: boolean; badSeq?: number };

async function* exportLines(
  app: Pick<AppDeps, 'box'>,
  context: CallContext,
  filter: AuditFilter,
  first: ReadonlyArray<{ seq: number }>,
): AsyncGenerator<string> {
  let rows = first;
  while (rows.length > 0) {
    yield rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    if (rows.length < chunkRows) return;
    rows = await app.box.read('auditChunk', context, {
      ...filter,
      after: rows.at(-1)?.seq ?? 0,
      limit: chunkRows,
    });
  }
}

const given = (query: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
