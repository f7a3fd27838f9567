/** All REST routes of the box by operation id. */
import { commandRoutes } from './commands.ts';
import { eventsRoutes } from './events.ts';
import { identityRoutes } from './identity.ts';
import { incidentsRoutes } from './incidents.ts';
import { notifyRoutes } from './notify.ts';
import { panelRoutes } from './panel.ts';
import { registryRoutes } from './registry.ts';
import { rulesRoutes } from './rules.ts';
import { systemRoutes } from './system.ts';

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
};
export type RouteName = keyof typeof routes;
