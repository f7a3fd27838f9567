/** The internal API (`/internal/v1`): for the box's own services, over the unix socket or mTLS only. */
import { InternalAppend, InternalAudit, InternalHeartbeat, internalPaths } from '@siphera/contract';
import { AppError, toProblem, newTraceId } from '@siphera/runtime';
import express, { type NextFunction, type Request, type Response } from 'express';
import type { RequestListener } from 'node:http';
import type { AppDeps } from './app-deps.ts';
import type { Authenticator } from './identity/http/authenticator.ts';
import {
  endSelfTest,
  requireRoot,
  resetAdmin,
  startSelfTest,
  writeSetupCode,
} from './identity/http/internal-identity.ts';
import { mountInternalPeople } from './identity/http/internal-people.ts';
import { readPresentGrants } from './identity/http/present-grants.ts';
import { mountInternalPhones } from './incidents/http/internal-phones.ts';
import { systemActor } from './kernel/actor.ts';
import { followFeed } from './kernel/follow-feed.ts';
import { mountInternalNotices } from './notify/http/internal-notices.ts';
import { mountInternalCameras } from './registry/http/internal-cameras.ts';

const bodyLimit = '40mb';

export function createInternalApp(app: AppDeps, authenticator: Authenticator): RequestListener {
  const http = express();
  http.disable('x-powered-by');
  http.use(express.json({ limit: bodyLimit }));
  http.post(internalPaths.events, async (request: Request, response: Response) => {
    const input = InternalAppend.parse(request.body);
    const results = await app.box.write(
      'appendInternal',
      { actor: systemActor(''), traceId: newTrace(app) },
      input,
    );
    response.json({ results });
  });
  http.get(internalPaths.feed, (request: Request, response: Response) => {
    const after = typeof request.query['after'] === 'string' ? Number(request.query['after']) : undefined;
    // A service that only checks tokens asks for revocations alone, and is spared the rest.
    const kinds = typeof request.query['kinds'] === 'string' ? request.query['kinds'].split(',') : undefined;
    followFeed(app, {
      request,
      response,
      after,
      format: 'ndjson',
      sees: (entry) => kinds?.includes(entry.kind) ?? true,
    });
  });
  http.get(internalPaths.jwks, (_request: Request, response: Response) => {
    response.json(authenticator.jwks());
  });
  http.get(internalPaths.revocations, (_request: Request, response: Response) => {
    response.json(authenticator.revocationsInForce());
  });
  http.post(internalPaths.audit, async (request: Request, response: Response) => {
    const input = InternalAudit.parse(request.body);
    await app.box.write(
      'recordAudit',
      { actor: { ...input.actor, orgId: input.org_id, grants: [], address: '' }, traceId: newTrace(app) },
      input,
    );
    response.status(204).end();
  });
  http.post(internalPaths.heartbeat, (request: Request, response: Response) => {
    app.status.hear(InternalHeartbeat.parse(request.body), app.clock.now());
    response.status(204).end();
  });
  http.get(internalPaths.grants, (request: Request, response: Response) => {
    response.json(readPresentGrants(app, request.query));
  });
  mountInternalPeople(http, app, authenticator.hasher);
  mountInternalNotices(http, app);
  mountInternalCameras(http, app);
  mountInternalPhones(http, app);
  http.post(internalPaths.selfTest, async (request: Request, response: Response) => {
    requireRoot(app, request);
    response.json(await startSelfTest(app, authenticator));
  });
  http.post(internalPaths.selfTestEnd, async (request: Request, response: Response) => {
    requireRoot(app, request);
    await endSelfTest(app, request.body as unknown);
    response.status(204).end();
  });
  http.post(internalPaths.setupCode, async (request: Request, response: Response) => {
    requireRoot(app, request);
    response.json(await writeSetupCode(app));
  });
  http.post(internalPaths.resetAdmin, async (request: Request, response: Response) => {
    requireRoot(app, request);
    response.json(await resetAdmin(app, request.body as unknown));
  });
  http.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    if (!(error instanceof AppError)) app.log.error('internal_request_failed', { error, path: request.path });
    const problem = toProblem(
      (error as Error).name === 'ZodError'
        ? new AppError('validation_failed', (error as Error).message)
        : error,
    );
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  });
  return http;
}

const newTrace = (app: AppDeps): string => newTraceId(app.random);
