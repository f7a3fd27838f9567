/** What services say of an incident: a line on its timeline, a push that reached nobody's screen. */
import { InternalIncidentLine, internalPaths, InternalPushUndelivered } from '@siphera/contract';
import { newTraceId } from '@siphera/runtime';
import type { Express, Request, Response } from 'express';
import type { AppDeps } from '../../app-deps.ts';
import { systemActor } from '../../kernel/actor.ts';
import type { CallContext } from '../../kernel/box.ts';

export function mountInternalNotices(http: Express, app: AppDeps): void {
  const context = (): CallContext => ({ actor: systemActor(''), traceId: newTraceId(app.random) });
  http.post(internalPaths.incidentLine, async (request: Request, response: Response) => {
    const line = InternalIncidentLine.parse(request.body);
    response.json(await app.box.write('addIncidentLine', context(), line));
  });
  http.post(internalPaths.pushUndelivered, async (request: Request, response: Response) => {
    const push = InternalPushUndelivered.parse(request.body);
    response.json(await app.box.write('pushUndelivered', context(), push));
  });
}
