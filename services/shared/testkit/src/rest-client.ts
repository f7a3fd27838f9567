/** A typed client of the box's REST API, made of the contract's routes: an operation that does not exist does not compile. */
import { apiPrefix, type Problem, type Route, type RouteName, routes } from '@siphera/contract';
import type { z } from 'zod';
import { exchange, type HttpAnswer } from './http.ts';

type Routes = typeof routes;
type Part<R, K extends string> = R extends Record<K, infer S extends z.ZodType> ? z.input<S> : undefined;
type Field<K extends string, V> = [V] extends [undefined] ? { [P in K]?: undefined } : { [P in K]: V };
type OptionalField<K extends string, V> = { [P in K]?: V | undefined };

export type CallInput<N extends RouteName> = Field<'params', Part<Routes[N], 'params'>> &
  OptionalField<'query', Part<Routes[N], 'query'>> &
  (Routes[N] extends { upload: unknown }
    ? { upload: { mediaType: string; bytes: Buffer } }
    : Field<'body', Part<Routes[N], 'body'>>) & {
    /** Access token or API key. */
    token?: string | undefined;
    idempotencyKey?: string;
    headers?: Readonly<Record<string, string>>;
  };
export type CallOutput<N extends RouteName> = Routes[N] extends { response: infer S extends z.ZodType }
  ? z.output<S>
  : Routes[N] extends { download: string }
    ? Buffer
    : undefined;

/** Where a box answers: the same origin for all, or one base URL a service when there is no front door. */
export type RestTarget = { baseUrl: (service: Route['service']) => string; ca?: string };

/** A refusal by the box, with its problem+json. */
export class RefusedCall extends Error {
  readonly status: number;
  readonly code: string;
  readonly problem: Partial<Problem>;
  constructor(operation: string, answer: HttpAnswer) {
    const problem = readProblem(answer);
    super(
      `${operation} was refused with ${answer.status} ${problem.code ?? ''}: ${problem.detail ?? answer.body.toString('utf8', 0, 500)}`,
    );
    this.name = 'RefusedCall';
    this.status = answer.status;
    this.code = problem.code ?? '';
    this.problem = problem;
  }
}

/** Calls an operation and returns its body. @throws RefusedCall unless the status is 2xx. */
export async function call<N extends RouteName>(
  target: RestTarget,
  operation: N,
  ...[input]: Partial<CallInput<N>> extends CallInput<N> ? [CallInput<N>?] : [CallInput<N>]
): Promise<CallOutput<N>> {
  const answer = await callRaw(target, operation, input ?? {});
  if (answer.status >= 300) throw new RefusedCall(operation, answer);
  const route: Route = routes[operation];
  if (route.download !== undefined) return answer.body as CallOutput<N>;
  const text = answer.body.toString('utf8');
  return (text === '' ? undefined : JSON.parse(text)) as CallOutput<N>;
}

type LooseInput = {
  params?: Readonly<Record<string, unknown>> | undefined;
  query?: Readonly<Record<string, unknown>> | undefined;
  body?: unknown;
  upload?: { mediaType: string; bytes: Buffer } | undefined;
  token?: string | undefined;
  idempotencyKey?: string;
  headers?: Readonly<Record<string, string>>;
};

/** The same without types and without judging the status: for tests of bad input, and of every route × every role. */
export async function callRaw(
  target: RestTarget,
  operation: RouteName,
  input: LooseInput = {},
): Promise<HttpAnswer> {
  const route: Route = routes[operation];
  const url = new URL(target.baseUrl(route.service) + apiPrefix + fillPath(route.path, input.params ?? {}));
  for (const [name, value] of Object.entries(input.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, asText(value));
  }
  const payload =
    input.upload?.bytes ?? (input.body === undefined ? undefined : Buffer.from(JSON.stringify(input.body)));
  return await exchange(url.href, {
    method: route.method.toUpperCase(),
    headers: { ...headersOf(input, payload), ...input.headers },
    ...(payload === undefined ? {} : { body: payload }),
    ...(target.ca === undefined ? {} : { ca: target.ca }),
  });
}

function headersOf(input: LooseInput, payload: Buffer | undefined): Record<string, string> {
  return {
    ...(payload === undefined
      ? {}
      : {
          'content-type': input.upload?.mediaType ?? 'application/json',
          'content-length': String(payload.length),
        }),
    ...(input.token === undefined ? {} : { authorization: `Bearer ${input.token}` }),
    ...(input.idempotencyKey === undefined ? {} : { 'idempotency-key': input.idempotencyKey }),
  };
}

const fillPath = (path: string, params: Readonly<Record<string, unknown>>): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(asText(params[name] ?? '')));

/** Parameters are strings, numbers and booleans; anything else in a test of bad input goes as JSON. */
const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function readProblem(answer: HttpAnswer): Partial<Problem> {
  if (!String(answer.headers['content-type']).includes('json')) return {};
  try {
    return JSON.parse(answer.body.toString('utf8')) as Partial<Problem>;
  } catch (error) {
    return { detail: `unreadable answer: ${String(error)}` };
  }
}
