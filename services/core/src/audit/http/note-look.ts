/** A look at sensitive data is an act: it stands in the audit before the data is shown. */
import type { AppDeps } from '../../app-deps.ts';
import type { CallContext } from '../../kernel/box.ts';

/** @param action dotted, e.g. `api_keys.viewed`. Call it before answering with what was read. */
export function noteLook(
  app: Pick<AppDeps, 'box'>,
  context: CallContext,
  action: string,
  target: string,
  detail: Record<string, unknown> = {},
): Promise<void> {
  return app.box.write('recordAudit', context, { action, target, detail });
}
