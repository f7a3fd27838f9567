/** All REST routes of the box by operation id. */
import { cameraRoutes } from './camera-routes.ts';
import { commandRoutes } from './commands.ts';
import { eventsRoutes } from './events.ts';
import { footageRoutes } from './footage-routes.ts';
import { identityRoutes } from './identity.ts';
import { incidentsRoutes } from './incidents.ts';
import { notifyRoutes } from './notify.ts';
import { panelRoutes } from './panel.ts';
import { phoneRoutes } from './phone-routes.ts';
import { registryRoutes } from './registry.ts';
import { rulesRoutes } from './rules.ts';
import { systemRoutes } from './system.ts';
import { talkRoutes } from './talk-routes.ts';

export const routes = {
  ...identityRoutes,
  ...registryRoutes,
  ...commandRoutes,
  ...eventsRoutes,
  ...rulesRoutes,
  ...incidentsRoutes,
  ...notifyRoutes,
  ...systemRoutes,
  ...panelRoutes,
  ...cameraRoutes,
  ...footageRoutes,
  ...talkRoutes,
  ...phoneRoutes,
};
export type RouteName = keyof typeof routes;
