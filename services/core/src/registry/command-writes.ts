/** Commands as people and integrators give them. */
import { isGranted, type CommandName } from '@siphera/contract/base';
import type { Command } from '@siphera/contract';
import { AppError } from '@siphera/runtime/base';
import { incidentScopes, readIncident } from '../incidents/store/incident.store.ts';
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
      // Its timeline tells of the command, so it must be one that he sees.
      const incident = readIncident(context.db, input.incident_id);
      const place = incident ? incidentScopes(context.db, incident) : undefined;
      if (
        place?.orgId !== context.actor.orgId ||
        !isGranted(context.actor.grants, 'incident.read', place.scopes)
      )
        throw new AppError('unprocessable', 'There is no such incident, or you may not see it.');
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
