/** Carries out what a rule decided: incident, notification, command, calls, all in the transaction of the event. */
import type { Decision, EngineEvent } from '@siphera/rules';
import type { CommandName } from '@siphera/contract';
import { AppError } from '@siphera/runtime/base';
import type { Actor } from '../kernel/actor.ts';
import type { Tx } from '../kernel/transaction.ts';
import { openOrUpdateIncident } from '../incidents/open-incident.ts';
import { addTimeline } from '../incidents/store/timeline.store.ts';
import { queueNotifications } from '../notify/queue-notifications.ts';
import { issueCommand } from '../registry/commands.ts';
import type { WriterDeps } from '../writer-deps.ts';
import { orderCalls } from './order-calls.ts';

/** @returns the incident it opened or went into, if any. */
export type ActOnDecision = (
  tx: Tx,
  decision: Decision,
  event: EngineEvent | undefined,
  traceId: string,
) => string | undefined;

export const createAct =
  (deps: WriterDeps): ActOnDecision =>
  (tx, decision, event, traceId) => {
    const actor: Actor = {
      kind: 'rule',
      id: decision.rule_id,
      name: decision.rule_name,
      orgId: decision.org_id,
      grants: [],
      address: '',
    };
    let incidentId: string | undefined;
    for (const action of decision.actions) {
      switch (action.kind) {
        case 'incident':
          incidentId = openOrUpdateIncident(tx, deps, { actor, decision, action, event, traceId });
          break;
        case 'notify':
          queueNotifications(tx, {
            orgId: decision.org_id,
            scopes: placeOf(deps, decision),
            incidentId,
            title: decision.rule_name,
            action,
            critical: false,
            traceId,
          });
          break;
        case 'command':
          command(tx, deps, actor, traceId, incidentId, action);
          break;
        case 'call':
          // After all others: it is for the incident, wherever that stands among the actions.
          break;
      }
    }
    if (incidentId !== undefined)
      for (const action of decision.actions)
        if (action.kind === 'call') orderCalls(tx, { actor, traceId }, incidentId, action);
    return incidentId;
  };

const placeOf = ({ index }: WriterDeps, decision: Decision): readonly string[] =>
  index.device(decision.device_id ?? '')?.scopes ??
  index.area(decision.area_id ?? '')?.scopes ?? [`site:${decision.site_id}`, `org:${decision.org_id}`];

/** A command that cannot be given (door deleted, controller not enrolled) must not undo the alarm it belongs to. */
function command(
  tx: Tx,
  deps: WriterDeps,
  actor: Actor,
  traceId: string,
  incidentId: string | undefined,
  action: {
    device_id: string;
    name: CommandName;
    args: Record<string, unknown>;
  },
): void {
  try {
    issueCommand(
      tx,
      deps,
      { actor, traceId },
      { deviceId: action.device_id, name: action.name, args: action.args, incidentId },
    );
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    deps.log.warn('rule_command_refused', {
      rule_id: actor.id,
      device_id: action.device_id,
      reason: error.message,
      trace_id: traceId,
    });
    if (incidentId !== undefined)
      addTimeline(tx, {
        incidentId,
        kind: 'command',
        actor,
        text: `${action.name} could not be sent: ${error.message}`,
        data: { device_id: action.device_id },
        traceId,
      });
  }
}
