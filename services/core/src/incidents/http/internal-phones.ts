/**
 * What services/sip-bridge (and signaling, for duty) asks of core: who is on duty, places, incidents of emergency calls,
 * keys pressed in alarm calls, doors opened from a phone.
 */
import {
  InternalAcknowledgeIncident,
  InternalCommand,
  InternalDuty,
  InternalOpenIncident,
  internalPaths,
} from '@siphera/contract';
import { newTraceId } from '@siphera/runtime';
import type { Express, Request, Response } from 'express';
import type { AppDeps } from '../../app-deps.ts';
import { systemActor } from '../../kernel/actor.ts';
import type { CallContext } from '../../kernel/box.ts';

export function mountInternalPhones(http: Express, app: AppDeps): void {
  const { box } = app;
  const traceId = (): string => newTraceId(app.random);
  const context = (): CallContext => ({ actor: systemActor(''), traceId: traceId() });
  http.post(internalPaths.duty, async (request: Request, response: Response) => {
    const { user_id, on_duty, at } = InternalDuty.parse(request.body);
    const duty = { userId: user_id, onDuty: on_duty, atMs: Date.parse(at) };
    response.json(await box.write('setDuty', context(), duty));
  });
  http.get(internalPaths.places, async (_request: Request, response: Response) => {
    response.json(await box.read('listPlaces', context(), {}));
  });
  http.post(internalPaths.openIncident, async (request: Request, response: Response) => {
    const incident = InternalOpenIncident.parse(request.body);
    response.json(await box.write('openServiceIncident', context(), incident));
  });
  http.post(internalPaths.acknowledgeIncident, async (request: Request, response: Response) => {
    const key = InternalAcknowledgeIncident.parse(request.body);
    response.json(await box.write('acknowledgeByPhone', context(), key));
  });
  http.post(internalPaths.command, async (request: Request, response: Response) => {
    const { actor, device_id, name, args, reason, incident_id } = InternalCommand.parse(request.body);
    const { org_id, ...who } = actor;
    // Whoever is a person has rights of his own; a phone has none and reaches doors alone.
    const write = actor.kind === 'service' ? 'commandDoorByPhone' : 'createCommand';
    const command = await box.write(
      write,
      {
        actor: { ...who, orgId: org_id, grants: actor.kind === 'service' ? [] : who.grants },
        traceId: traceId(),
      },
      { id: device_id, name, args, reason, incident_id: incident_id ?? undefined },
    );
    response.json({ command_id: command.id });
  });
}
