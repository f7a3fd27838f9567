/** Commands as people and integrators give them. */
import type { Command, CommandName } from '@siphera/contract';
import { AppError } from '@siphera/runtime';
import { authoriseOn, scopesOf } from '../kernel/access.ts';
import type { WriteContext } from '../kernel/transaction.ts';
import type { WriterDeps } from '../writer-deps.ts';
import { issueCommand } from './commands.ts';

export const createCommandWrites = (deps: WriterDeps) => ({
  createCommand: (
    context: WriteContext,
    input: {
      id: string;
      name: CommandName;
      args: Record<string, unknown>;
      reason?: string | undefined;
      incident_id?: string | undefined;
    },
  ): Command => {
    authoriseOn(
      context.actor,
      { read: 'registry.read', act: 'device.command' },
      scopesOf(context.db, { kind: 'device', id: input.id }),
    );
    if (input.incident_id !== undefined) {
      const incident = context.db
        .prepare<[string], { org_id: string }>('SELECT org_id FROM incidents WHERE id = ?')
        .get(input.incident_id);
      if (incident?.org_id !== context.actor.orgId)
        throw new AppError('unprocessable', 'There is no such incident.');
    }
    return issueCommand(context, deps, context, {
      deviceId: input.id,
      name: input.name,
      args: input.args,
      reason: input.reason,
      incidentId: input.incident_id,
    });
  },
});
