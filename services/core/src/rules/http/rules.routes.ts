/** Handlers of the rule routes. */
import type { Handlers } from '@siphera/runtime';
import { contextOf, type AppDeps } from '../../app-deps.ts';
import type { ruleRoutes } from '../../http-routes.ts';

export function ruleHandlers({ box }: AppDeps): Handlers<ruleRoutes> {
  return {
    listRules: (call) => box.read('listRules', contextOf(call), {}),
    createRule: (call) => {
      const { site_id, ...definition } = call.body;
      return box.write('createRule', contextOf(call), { site_id, definition });
    },
    getRule: (call) => box.read('getRule', contextOf(call), call.params),
    putRule: (call) => {
      const { expected_version, ...definition } = call.body;
      return box.write('putRule', contextOf(call), { ...call.params, expected_version, definition });
    },
    deleteRule: (call) => box.write('deleteRule', contextOf(call), call.params),
    listRuleVersions: (call) => box.read('listRuleVersions', contextOf(call), call.params),
    listRuleTraces: (call) => box.read('listRuleTraces', contextOf(call), call.query),
  };
}
