/** Puts core's REST application and its internal API together from the nouns' handlers. */
import { routes as allRoutes, type Route } from '@siphera/contract';
import { createRouteApp } from '@siphera/runtime';
import type { RequestListener } from 'node:http';
import type { AppDeps } from './app-deps.ts';
import { auditHandlers } from './audit/http/audit.routes.ts';
import { eventHandlers } from './events/http/events.routes.ts';
import { createAuthenticator, type Authenticator } from './identity/http/authenticator.ts';
import { identityHandlers } from './identity/http/identity.routes.ts';
import { incidentHandlers } from './incidents/http/incidents.routes.ts';
import { createInternalApp } from './internal-app.ts';
import { openSecretBox } from './kernel/secret-box.ts';
import { OutboxSender } from './notify/outbox-sender.ts';
import { notifyHandlers } from './notify/http/notify.routes.ts';
import { registryHandlers } from './registry/http/registry.routes.ts';
import { ruleHandlers } from './rules/http/rules.routes.ts';
import { systemHandlers } from './system/http/system.routes.ts';

type CoreRoutes = {
  [
    K in keyof typeof allRoutes as (typeof allRoutes)[K]['service'] extends 'core' ? K : never
  ]: (typeof allRoutes)[K];
};

/** The routes that core answers; panel answers its own. */
const coreRoutes = Object.fromEntries(
  Object.entries(allRoutes as Record<string, Route>).filter(([, route]) => route.service === 'core'),
) as unknown as CoreRoutes;

export async function createCoreHttp(
  app: AppDeps,
): Promise<{ rest: RequestListener; authenticator: Authenticator; sender: OutboxSender }> {
  const secrets = openSecretBox(app.config.DATA_DIR, app.random);
  const authenticator = await createAuthenticator(app);
  const rest = createRouteApp({
    routes: coreRoutes,
    handlers: {
      ...identityHandlers(app, authenticator),
      ...registryHandlers(app),
      ...eventHandlers(app),
      ...ruleHandlers(app),
      ...incidentHandlers(app),
      ...notifyHandlers(app, secrets),
      ...auditHandlers(app),
      ...systemHandlers(app),
    },
    authenticate: (bearer) => authenticator.authenticate(bearer),
    log: app.log,
    metrics: app.metrics,
    clock: app.clock,
    random: app.random,
  });
  return { rest, authenticator, sender: new OutboxSender(app, secrets) };
}

export const createInternalHttp = (app: AppDeps, authenticator: Authenticator): RequestListener =>
  createInternalApp(app, authenticator);
