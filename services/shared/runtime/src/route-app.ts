/**
 * Serves REST routes that are data in the contract: authenticate, check the permission, read and validate the input,
 * call the handler, validate the output, answer problem+json on errors. A route without a handler stops the start.
 */
import { apiPrefix, isGranted, type AccessClaims, type Route } from '@siphera/contract';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import { AppError, toProblem } from './app-error.ts';
import type { Clock } from './clock.ts';
import { isTooDeep } from './json-depth.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';
import { newTraceId, type Random } from './random.ts';

/** Who calls: the claims of the token or API key; `address` is the client's, as the front door reports it. */
export type Caller = { claims: AccessClaims };

type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined;
type Answer<S> = S extends z.ZodType ? z.input<S> : void;

export type Call<R extends Route> = {
  caller: R['access'] extends 'public' ? Caller | undefined : Caller;
  params: Parsed<R['params']>;
  query: Parsed<R['query']>;
  body: Parsed<R['body']>;
  /** Bytes of an upload route, and their declared media type and file name. */
  upload: { bytes: Buffer; mediaType: string; name: string } | undefined;
  address: string;
  userAgent: string;
  traceId: string;
  idempotencyKey: string | undefined;
  request: Request;
  response: Response;
};

/** What a download route returns; `inline: false` makes browsers save it. */
export type Download = {
  mediaType: string;
  body: Buffer | Readable;
  fileName?: string;
  cacheSeconds?: number;
};

export type Handler<R extends Route> = (
  call: Call<R>,
) => Promise<R['download'] extends string ? Download | undefined : Answer<R['response']>>;
export type Handlers<T extends Record<string, Route>> = { [K in keyof T]: Handler<T[K]> };

export type RouteAppOptions<T extends Record<string, Route>> = {
  routes: T;
  handlers: Handlers<T>;
  /** Checks a bearer value; throws AppError when it is bad. */
  authenticate(bearer: string): Promise<Caller>;
  log: Logger;
  metrics: Metrics;
  clock: Clock;
  random: Random;
};

const defaultBodyBytesMax = 256 * 1024;

export function createRouteApp<T extends Record<string, Route>>(options: RouteAppOptions<T>): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  // One proxy, ours, on the same host or network: its X-Forwarded-For names the client.
  app.set('trust proxy', 1);
  const seconds = options.metrics.histogram(
    'http_seconds',
    'Time to answer',
    [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
    ['route', 'status'],
  );
  // Fixed paths before those with parameters, so that `/devices/import` is not taken for a device id.
  const ordered = Object.entries(options.routes).sort(([, a], [, b]) =>
    rank(a.path) < rank(b.path) ? -1 : 1,
  );
  for (const [name, route] of ordered) {
    const handler = options.handlers[name] as Handler<Route> | undefined;
    if (!handler) throw new Error(`Route ${name} has no handler`);
    app[route.method](toExpressPath(route.path), async (request: Request, response: Response) => {
      const started = options.clock.monotonic();
      const traceId = readTraceId(request) ?? newTraceId(options.random);
      response.locals['traceId'] = traceId;
      response.setHeader('x-trace-id', traceId);
      response.once('close', () => {
        seconds.observe(
          { route: name, status: String(response.statusCode) },
          (options.clock.monotonic() - started) / 1_000,
        );
      });
      await answer({ route, handler, request, response, traceId, options });
    });
  }
  app.use(apiPrefix, (request: Request) => {
    throw new AppError('not_found', `There is no ${request.method} ${request.path}.`, {
      hint: 'See /api/v1/openapi.json.',
    });
  });
  app.use(errorHandler(options));
  return app;
}

const rank = (path: string): string => path.replaceAll('{', '~');
const toExpressPath = (path: string): string => apiPrefix + path.replaceAll(/\{(\w+)\}/g, ':$1');

type AnswerInput = {
  route: Route;
  handler: Handler<Route>;
  request: Request;
  response: Response;
  traceId: string;
  options: Pick<RouteAppOptions<Record<string, Route>>, 'authenticate'>;
};

async function answer({ route, handler, request, response, traceId, options }: AnswerInput): Promise<void> {
  // Authorisation first: nothing of the request is read, and no body taken in, for somebody who may not call.
  const caller = await authorise(route, request, options.authenticate);
  const params = validate(route.params, request.params, 'params');
  const query = validate(route.query, request.query, 'query');
  const upload = route.upload ? await readUpload(request, response, route.upload) : undefined;
  const body = route.body
    ? validate(route.body, await readJson(request, response, route), 'body')
    : undefined;
  const result = await handler({
    caller: caller as Caller,
    params,
    query,
    body,
    upload,
    address: request.ip ?? '',
    userAgent: (request.get('user-agent') ?? '').slice(0, 300),
    traceId,
    idempotencyKey: readIdempotencyKey(route, request),
    request,
    response,
  });
  if (response.headersSent) return;
  response.setHeader('cache-control', 'no-store');
  if (route.download) {
    sendDownload(response, result as Download);
    return;
  }
  if (!route.response) {
    response.status(route.status ?? 204).end();
    return;
  }
  // Parsing the answer drops what the contract does not name, so that no column leaks by accident.
  response.status(route.status ?? 200).json(route.response.parse(result));
}

async function authorise(
  route: Route,
  request: Request,
  authenticate: (bearer: string) => Promise<Caller>,
): Promise<Caller | undefined> {
  const header = request.get('authorization');
  const bearer = header?.startsWith('Bearer ') ? header.slice('Bearer '.length) : undefined;
  if (route.access === 'public') return undefined;
  if (!bearer)
    throw new AppError('unauthenticated', 'This needs a bearer token.', {
      hint: 'Sign in, or send an API key.',
    });
  const caller = await authenticate(bearer);
  const { access } = route;
  if (access === 'signed_in') return caller;
  const anywhere = caller.claims.grants.some((grant) => isGranted([grant], access, [grant.scope]));
  if (!anywhere) throw new AppError('forbidden', `This needs the permission ${access}.`);
  return caller;
}

function validate(schema: z.ZodType | undefined, value: unknown, where: string): unknown {
  if (!schema) return undefined;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues
    .slice(0, 50)
    .map((issue) => ({ path: [where, ...issue.path].join('.'), message: issue.message }));
  throw new AppError(
    'validation_failed',
    errors
      .map((error) => `${error.path}: ${error.message}`)
      .join('; ')
      .slice(0, 1_000),
    { extra: { errors } },
  );
}

const run = (
  middleware: (request: Request, response: Response, next: NextFunction) => void,
  request: Request,
  response: Response,
): Promise<void> =>
  new Promise((resolve, reject) => {
    middleware(request, response, (error?: unknown) => {
      if (error === undefined) resolve();
      else
        reject(
          error instanceof Error
            ? error
            : new AppError('malformed_body', 'The body could not be read.', { cause: error }),
        );
    });
  });

async function readJson(request: Request, response: Response, route: Route): Promise<unknown> {
  if (
    request.get('content-length') === '0' ||
    (!request.get('content-length') && !request.get('transfer-encoding'))
  )
    return {};
  if (
    !request.is(['application/json', 'application/cloudevents+json', 'application/cloudevents-batch+json'])
  ) {
    throw new AppError('unsupported_media', 'Send JSON with content-type application/json.');
  }
  const limit = route.bodyBytesMax ?? defaultBodyBytesMax;
  await run(express.json({ limit, strict: true, type: () => true }), request, response);
  if (isTooDeep(request.body)) throw new AppError('malformed_body', 'The body is nested too deeply.');
  return request.body as unknown;
}

async function readUpload(
  request: Request,
  response: Response,
  upload: NonNullable<Route['upload']>,
): Promise<{ bytes: Buffer; mediaType: string; name: string }> {
  const mediaType = (request.get('content-type') ?? '').split(';')[0]?.trim() ?? '';
  if (!upload.mediaTypes.includes(mediaType)) {
    throw new AppError('unsupported_media', `Send one of ${upload.mediaTypes.join(', ')} as the body.`);
  }
  await run(express.raw({ limit: upload.bytesMax, type: () => true }), request, response);
  const bytes = request.body as unknown;
  if (!Buffer.isBuffer(bytes) || bytes.length === 0)
    throw new AppError('malformed_body', 'The body is empty.');
  return { bytes, mediaType, name: readFileName(request) };
}

/** The client's file name, as a label only: it is never used as a path. */
function readFileName(request: Request): string {
  const encoded = request.get('x-file-name') ?? '';
  try {
    return decodeURIComponent(encoded)
      .replaceAll(/[\p{Cc}/\\]/gu, '_')
      .slice(0, 120);
  } catch {
    return encoded.replaceAll(/[^\w.-]/g, '_').slice(0, 120);
  }
}

function readIdempotencyKey(route: Route, request: Request): string | undefined {
  const key = request.get('idempotency-key');
  if (!route.idempotent || key === undefined) return undefined;
  if (!/^[\w.:-]{1,128}$/.test(key))
    throw new AppError('validation_failed', 'Idempotency-Key must be 1 to 128 of A–Z a–z 0–9 _ . : -');
  return key;
}

/** Trace id of a W3C traceparent header (Trace Context §3.2). */
function readTraceId(request: Request): string | undefined {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(request.get('traceparent') ?? '')?.[1];
}

function sendDownload(response: Response, download: Download): void {
  response.setHeader('content-type', download.mediaType);
  response.setHeader('x-content-type-options', 'nosniff');
  // Whatever was uploaded, a browser that opens it directly runs nothing.
  response.setHeader('content-security-policy', "sandbox; default-src 'none'");
  if (download.fileName)
    response.setHeader(
      'content-disposition',
      `attachment; filename*=UTF-8''${encodeURIComponent(download.fileName)}`,
    );
  if (download.cacheSeconds)
    response.setHeader('cache-control', `private, max-age=${download.cacheSeconds}, immutable`);
  if (Buffer.isBuffer(download.body)) response.end(download.body);
  else download.body.on('error', () => response.destroy()).pipe(response);
}

type BodyParserError = { type?: string; status?: number };

function normalise(error: unknown): unknown {
  const type = (error as BodyParserError | undefined)?.type;
  if (type === 'entity.too.large')
    return new AppError('payload_too_large', 'The body is larger than this address takes.');
  if (type === 'entity.parse.failed' || type === 'encoding.unsupported' || type === 'charset.unsupported') {
    return new AppError('malformed_body', 'The body is not valid JSON.');
  }
  if (error instanceof URIError) return new AppError('validation_failed', 'The address is not valid.');
  return error;
}

function errorHandler(options: Pick<RouteAppOptions<Record<string, Route>>, 'log'>) {
  return (raw: unknown, request: Request, response: Response, _next: NextFunction): void => {
    const error = normalise(raw);
    const traceId = response.locals['traceId'] as string | undefined;
    if (!(error instanceof AppError))
      options.log.error('request_failed', {
        error,
        method: request.method,
        path: request.path,
        trace_id: traceId,
      });
    else if (error.code === 'internal' || error.cause !== undefined)
      options.log.warn('request_refused', { error, path: request.path, trace_id: traceId });
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const problem = toProblem(error, traceId);
    if (problem.status === 503 || problem.status === 429)
      response.setHeader('retry-after', String(Number(problem['retry_after_seconds'] ?? 1)));
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  };
}
