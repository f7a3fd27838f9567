/** Settings, and audit rows on behalf of handlers and of the other services. */
import { AppError } from '@siphera/runtime/base';
import { appendAudit } from '../audit/store/audit-append.store.ts';
import { authorise, orgScope } from '../kernel/access.ts';
import type { WriteContext } from '../kernel/transaction.ts';
import type { WriterDeps } from '../writer-deps.ts';
import { parseOutboundRange } from './domain/outbound-ranges.ts';
import { readSettings, writeSetting, type StoredSettings } from './store/settings.store.ts';

export const createSystemWrites = (_deps: WriterDeps) => ({
  patchSettings: (
    context: WriteContext,
    input: {
      org_name?: string | undefined;
      outbound_allow?: readonly string[] | undefined;
      transcript_required?: boolean | undefined;
    },
  ): StoredSettings => {
    const { actor, db } = context;
    authorise(actor, 'system.manage', orgScope(actor.orgId));
    if (input.org_name !== undefined)
      db.prepare('UPDATE orgs SET name = ? WHERE id = ?').run(input.org_name, actor.orgId);
    if (input.outbound_allow !== undefined)
      writeSetting(context, actor.orgId, 'outbound_allow', canonical(input.outbound_allow));
    if (input.transcript_required !== undefined)
      writeSetting(context, actor.orgId, 'transcript_required', input.transcript_required);
    const settings = readSettings(db, actor.orgId);
    appendAudit(context, {
      actor,
      action: 'settings.updated',
      target: `org:${actor.orgId}`,
      detail: { ...input },
    });
    context.change({
      kind: 'settings',
      action: 'updated',
      id: actor.orgId,
      orgId: actor.orgId,
      audience: 'system.read',
      scopes: orgScope(actor.orgId),
      traceId: context.traceId,
      data: settings,
    });
    return settings;
  },

  /** One audit row in the name of the context's actor. Reached by core's own handlers and the internal API alone. */
  recordAudit: (
    context: WriteContext,
    input: { action: string; target: string; detail: Record<string, unknown> },
  ): void => {
    const { action, target, detail } = input;
    appendAudit(context, { actor: context.actor, action, target, detail });
  },
});

function canonical(ranges: readonly string[]): string[] {
  const parsed = ranges.map((text) => parseOutboundRange(text));
  const errors = parsed.flatMap((result, index) =>
    'problem' in result ? [{ path: `body.outbound_allow.${index}`, message: result.problem }] : [],
  );
  if (errors.length > 0)
    throw new AppError('validation_failed', errors.map((error) => error.message).join(' '), {
      extra: { errors },
    });
  return [...new Set(parsed.flatMap((result) => ('range' in result ? [result.range] : [])))];
}
