/**
 * What a REST route is, as data. Core (and panel) bind a use case to each; the OpenAPI file, the console's client and the
 * test of every route × every role come from the same table, so a route cannot exist without its permission.
 */
import type { z } from 'zod';
import type { Permission } from '../permissions.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** Who may call: anyone; whoever is signed in; whoever holds the permission on a scope of the resource. */
export type RouteAccess = 'public' | 'signed_in' | Permission;

export type Route = {
  method: Method;
  /** Below `/api/v1`, with `{name}` for parameters. */
  path: string;
  summary: string;
  tag: string;
  access: RouteAccess;
  /** Which process answers. */
  service: 'core' | 'panel' | 'camera' | 'signaling' | 'sip-bridge';
  params?: z.ZodType;
  query?: z.ZodType;
  /** JSON body, unless `upload` says otherwise. */
  body?: z.ZodType;
  upload?: { mediaTypes: readonly string[]; bytesMax: number };
  /** JSON response; absent means 204, or a download when `download` names its media type. */
  response?: z.ZodType;
  download?: string;
  status?: 200 | 201 | 202 | 204;
  /** Takes an `Idempotency-Key` header: the first answer is kept for a day and given again. */
  idempotent?: true;
  /** Largest JSON body in bytes, where the default of 256 KiB does not do. */
  bodyBytesMax?: number;
};

export const apiPrefix = '/api/v1';
export const defineRoutes = <const T extends Record<string, Route>>(routes: T): T => routes;
