/** A look at sensitive data is an act: it stands in the audit before the data is shown. */
import type { AppDeps } from '../../app-deps.ts';
import type { CallContext } from '../../kernel/box.ts';

/** @param action dotted, e.g. `api_keys.viewed`. Call it before answering with what was read. */
export async function noteLook(
  app: Pick<AppDeps, 'box'>,
  context: CallContext,
  action: string,
  target: string,
  detail: Record<string, unknown> = {},
): Promise<void> {
  await app.box.write('recordAudit', context, {
    actor: { kind: 'user', id: context.actor.id, name: context.actor.name },
    org_id: context.actor.orgId,
    action,
    target,
    detail,
  });
}
