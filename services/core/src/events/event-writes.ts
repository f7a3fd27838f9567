/** Events by REST and from the box's own services; dead letters; retention. */
import type { AppendResult, InternalAppend, RetentionPolicy } from '@siphera/contract';
import { AppError } from '@siphera/runtime/base';
import { isGranted } from '@siphera/contract/base';
import type { z } from 'zod';
import { appendAudit } from '../audit/store/audit-append.store.ts';
import { authorise, authoriseOn, orgScope } from '../kernel/access.ts';
import type { WriteContext } from '../kernel/transaction.ts';
import type { WriterDeps } from '../writer-deps.ts';
import type { Arrival } from './arrival.ts';
import type { Ingest } from './ingest.ts';

type DeadRow = {
  id: string;
  org_id: string;
  channel: Arrival['channel'];
  origin: string;
  payload: Buffer;
  bytes: number;
};

function ingestOf(deps: WriterDeps): Ingest {
  if (!deps.ingest) throw new Error('Ingest is not put together yet');
  return deps.ingest;
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value) ?? '');

export const createEventWrites = (deps: WriterDeps) => ({
  appendEvents: (
    context: WriteContext,
    input: { events: readonly unknown[] },
  ): { results: AppendResult[] } => {
    const { actor } = context;
    if (!actor.grants.some((grant) => grant.permissions.includes('event.write')))
      throw new AppError('forbidden', 'You need the permission event.write.');
    const maySpeakFor = (scopes: readonly string[]): boolean =>
      isGranted(actor.grants, 'event.write', scopes);
    const results = input.events.map((value) =>
      ingestOf(deps).append(context, {
        channel: 'rest',
        origin: `rest:${actor.orgId}`,
        orgId: actor.orgId,
        maySpeakFor,
        value,
        bytes: sizeOf(value),
        traceId: context.traceId,
      }),
    );
    return { results };
  },

  /** From panel and the box's other services, which have authenticated the sender. */
  appendInternal: (context: WriteContext, input: z.infer<typeof InternalAppend>): AppendResult[] => {
    const firstOrg = deps.index.orgIds()[0];
    if (firstOrg === undefined)
      throw new AppError('unavailable', 'The box is not set up yet.', { hint: 'Make the first admin.' });
    return input.events.map((value) => {
      const said = { orgId: textOf(value['orgid']), siteId: textOf(value['siteid']) };
      const orgId =
        said.orgId !== undefined && deps.index.orgIds().includes(said.orgId) ? said.orgId : firstOrg;
      const siteId =
        said.siteId !== undefined && deps.index.site(said.siteId)?.orgId === orgId ? said.siteId : undefined;
      return ingestOf(deps).append(context, {
        channel: input.channel,
        origin: input.channel,
        orgId,
        value,
        bytes: sizeOf(value),
        ...(siteId === undefined ? {} : { siteId }),
      });
    });
  },

  deleteDeadLetter: (context: WriteContext, input: { id: string }): void => {
    const row = readDead(context, input.id);
    authoriseOn(
      context.actor,
      { read: 'system.read', act: 'system.manage' },
      row ? { orgId: row.org_id, scopes: orgScope(row.org_id) } : undefined,
    );
    context.db.prepare('DELETE FROM dead_letters WHERE id = ?').run(input.id);
    appendAudit(context, {
      actor: context.actor,
      action: 'dead_letter.deleted',
      target: `dead_letter:${input.id}`,
    });
    context.change({
      kind: 'dead_letter',
      action: 'deleted',
      id: input.id,
      orgId: context.actor.orgId,
      audience: 'system.read',
      scopes: orgScope(context.actor.orgId),
      traceId: context.traceId,
    });
  },

  replayDeadLetter: (context: WriteContext, input: { id: string }): AppendResult => {
    const row = readDead(context, input.id);
    authoriseOn(
      context.actor,
      { read: 'system.read', act: 'system.manage' },
      row ? { orgId: row.org_id, scopes: orgScope(row.org_id) } : undefined,
    );
    if (!row) throw new AppError('not_found', 'There is no such dead letter.');
    const verdict = ingestOf(deps).append(context, { ...replayArrival(row), traceId: context.traceId });
    if (verdict.status === 'dead_lettered')
      throw new AppError('unprocessable', `It still cannot be taken: ${verdict.reason ?? ''}`);
    context.db.prepare('DELETE FROM dead_letters WHERE id = ?').run(input.id);
    appendAudit(context, {
      actor: context.actor,
      action: 'dead_letter.replayed',
      target: `dead_letter:${input.id}`,
      detail: { status: verdict.status },
    });
    context.change({
      kind: 'dead_letter',
      action: 'deleted',
      id: input.id,
      orgId: row.org_id,
      audience: 'system.read',
      scopes: orgScope(row.org_id),
      traceId: context.traceId,
    });
    return verdict;
  },

  putRetention: (
    context: WriteContext,
    input: { policies: ReadonlyArray<z.infer<typeof RetentionPolicy>> },
  ): void => {
    authorise(context.actor, 'system.manage', orgScope(context.actor.orgId));
    const upsert = context.db.prepare(
      'INSERT INTO retention (class, days_max, bytes_max) VALUES (?, ?, ?) ON CONFLICT (class) DO UPDATE SET days_max = excluded.days_max, bytes_max = excluded.bytes_max',
    );
    for (const policy of input.policies) upsert.run(policy.class, policy.days_max, policy.bytes_max);
    appendAudit(context, {
      actor: context.actor,
      action: 'retention.updated',
      target: `org:${context.actor.orgId}`,
      detail: { policies: input.policies },
    });
  },
});

function readDead(context: WriteContext, id: string): DeadRow | undefined {
  return context.db
    .prepare<[string], DeadRow>(
      'SELECT id, org_id, channel, origin, payload, bytes FROM dead_letters WHERE id = ?',
    )
    .get(id);
}

/** Marked as replayed: it may satisfy a level, it never fires an edge. */
function replayArrival(row: DeadRow): Arrival {
  let value: unknown;
  try {
    value = JSON.parse(row.payload.toString('utf8'));
  } catch (cause) {
    throw new AppError('unprocessable', 'It is not JSON, so it cannot be replayed.', { cause });
  }
  const agentId =
    row.channel === 'mqtt'
      ? (/^siphera\/v1\/[^/]+\/([^/]+)\//.exec(row.origin)?.[1] ?? row.origin.replace(/^device:/, ''))
      : undefined;
  return {
    channel: row.channel,
    origin: agentId === undefined ? row.origin : `device:${agentId}`,
    orgId: row.org_id,
    value,
    bytes: row.bytes,
    mark: 'replayed',
    ...(agentId === undefined ? {} : { agentId }),
  };
}
