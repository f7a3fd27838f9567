/**
 * What services/camera asks of the registry and of commands: which cameras there are and where, adding and removing one for
 * somebody, how a command went, what was kept of an incident. Every service of the box can open the internal API, so it reaches cameras and nothing else.
 */
import {
  DeviceKind,
  InternalCommandResult,
  InternalEvidence,
  InternalNewDevice,
  InternalRemoveDevice,
  internalPaths,
  type InternalActor,
} from '@siphera/contract';
import { AppError, newTraceId } from '@siphera/runtime';
import type { Express, Request, Response } from 'express';
import type { AppDeps } from '../../app-deps.ts';
import { systemActor } from '../../kernel/actor.ts';
import type { CallContext } from '../../kernel/box.ts';

export function mountInternalCameras(http: Express, app: AppDeps): void {
  const { box } = app;
  const traceId = (): string => newTraceId(app.random);
  http.get(internalPaths.devices, async (request: Request, response: Response) => {
    const kind = DeviceKind.parse(request.query['kind']);
    response.json(
      await box.read('listPlacedDevices', { actor: systemActor(''), traceId: traceId() }, { kind }),
    );
  });
  http.post(internalPaths.devices, async (request: Request, response: Response) => {
    const { actor, device } = InternalNewDevice.parse(request.body);
    if (device.kind !== 'camera') throw new AppError('forbidden', 'Services add cameras only.');
    response.status(201).json(await box.write('createDevice', onBehalfOf(actor, traceId()), device));
  });
  http.post(internalPaths.removeDevice, async (request: Request, response: Response) => {
    const { actor, device_id } = InternalRemoveDevice.parse(request.body);
    await box.write('removeCamera', onBehalfOf(actor, traceId()), { id: device_id });
    response.status(204).end();
  });
  http.post(internalPaths.commandResult, async (request: Request, response: Response) => {
    const result = InternalCommandResult.parse(request.body);
    const context = { actor: systemActor(''), traceId: traceId() };
    response.json(await box.write('finishCameraCommand', context, result));
  });
  http.post(internalPaths.evidence, async (request: Request, response: Response) => {
    const line = InternalEvidence.parse(request.body);
    const context = { actor: systemActor(''), traceId: traceId() };
    const { added } = await box.write('addEvidence', context, line);
    response.json({ added });
  });
}

const onBehalfOf = ({ org_id, ...who }: InternalActor, traceId: string): CallContext => ({
  actor: { ...who, orgId: org_id },
  traceId,
});
