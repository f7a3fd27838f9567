/** The contract's routes by noun, as types: handlers of a noun must answer each of its routes. */
import type { routes } from '@siphera/contract';

type Named<T extends keyof typeof routes> = Pick<typeof routes, T>;
type Tagged<Tag extends string> = Named<
  {
    [K in keyof typeof routes]: (typeof routes)[K]['tag'] extends Tag
      ? (typeof routes)[K]['service'] extends 'core'
        ? K
        : never
      : never;
  }[keyof typeof routes]
>;

export type identityRoutes = Tagged<'setup' | 'session' | 'identity'>;
export type registryRoutes = Tagged<'registry' | 'commands'>;
export type eventRoutes = Tagged<'events'>;
export type ruleRoutes = Tagged<'rules'>;
export type incidentRoutes = Tagged<'incidents'>;
export type notifyRoutes = Tagged<'notifications'>;
export type auditRoutes = Tagged<'audit'>;
export type systemRoutes = Tagged<'system' | 'trust'>;
