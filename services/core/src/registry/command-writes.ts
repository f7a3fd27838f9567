/** Commands as people and integrators give them. */
import { isGranted, type CommandName } from '@siphera/contract/base';
import type { Command } from '@siphera/contract';
import { AppError } from '@siphera/runtime/base';
import { incidentScopes, readIncident } from '../incidents/store/incident.store.ts';
import { authoriseOn, scopesOf } from '../kernel/access.ts';
import type { WriteContext } from '../kernel/transaction.ts';
import type { WriterDeps } from '../writer-deps.ts';
import { issueCommand } from './commands.ts';

type CommandOf = {
  id: string;
  name: CommandName;
  args: Record<string, unknown>;
  reason?: string | undefined;
  incident_id?: string | undefined;
};

const issue = (context: WriteContext, deps: WriterDeps, input: CommandOf): Command =>
  issueCommand(context, deps, context, {
    deviceId: input.id,
    name: input.name,
    args: input.args,
    reason: input.reason,
    incidentId: input.incident_id,
  });

export const createCommandWrites = (deps: WriterDeps) => ({
  createCommand: (context: WriteContext, input: CommandOf): Command => {
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
    return issue(context, deps, input);
  },

  /**
   * By a phone of the house without a user: a code was dialled at a door station. It opens and closes doors, nothing else;
   * the SIP bridge has checked which door is its own.
   */
  commandDoorByPhone: (context: WriteContext, input: CommandOf): Command => {
    const { actor } = context;
    if (actor.kind !== 'service')
      throw new AppError('forbidden', 'Only phones of the house command that way.');
    const device = deps.index.device(input.id);
    if (device?.orgId !== actor.orgId)
      throw new AppError('not_found', 'There is no such thing, or you may not see it.');
    if (device.kind !== 'door' || (input.name !== 'unlock' && input.name !== 'lock'))
      throw new AppError('forbidden', 'A phone of the house unlocks and locks doors, and nothing else.');
    if (
      input.incident_id !== undefined &&
      readIncident(context.db, input.incident_id)?.org_id !== actor.orgId
    )
      throw new AppError('unprocessable', 'There is no such incident.');
    return issue(context, deps, input);
  },
});
