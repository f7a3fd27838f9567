/**
 * Typed calls of the box's REST API. Types come from the contract's routes and cost no byte of the bundle; only method and
 * path of each operation are shipped. What must stay true: the access token lives in memory alone, a 401 renews it once.
 */
import type { Problem, routes } from '@siphera/contract';
import { operations } from '#api/client.generated.ts';
import { ApiError } from '#api/problem.ts';

type Routes = typeof routes;
export type OperationId = keyof Routes;
type In<S> = S extends { _zod: { input: infer I } } ? I : never;
type Out<S> = S extends { _zod: { output: infer O } } ? O : never;

/** What an operation answers; `void` for 204. */
export type Result<K extends OperationId> = Routes[K] extends { response: infer S } ? Out<S> : void;
/** The JSON body an operation takes. */
export type Body<K extends OperationId> = Routes[K] extends { body: infer S } ? In<S> : never;
/** The query an operation takes; every field may be left out. */
export type Query<K extends OperationId> = Routes[K] extends { query: infer S }
  ? { [F in keyof Out<S>]?: Out<S>[F] | undefined }
  : never;
/** One row of an operation that answers a list. */
export type Item<K extends OperationId> = Result<K> extends { items: (infer T)[] } ? T : never;

type Args<K extends OperationId> = (Routes[K] extends { params: infer S } ? { params: Out<S> } : object) &
  (Routes[K] extends { query: unknown } ? { query?: Query<K> } : object) &
  (Routes[K] extends { body: unknown } ? { body: Body<K> } : object) &
  (Routes[K] extends { upload: unknown } ? { file: Blob; fileName?: string } : object) & {
    signal?: AbortSignal | undefined;
    /** Reuse it to repeat an act whose answer was lost. */
    idempotencyKey?: string | undefined;
    /** For what takes its time on the box, e.g. a search of the network. */
    timeoutMs?: number | undefined;
  };
type CallArgs<K extends OperationId> = Partial<Args<K>> extends Args<K> ? [args?: Args<K>] : [args: Args<K>];

type AnyArgs = {
  params?: Record<string, string | number>;
  query?: Record<string, unknown>;
  body?: unknown;
  file?: Blob;
  fileName?: string;
  signal?: AbortSignal;
  idempotencyKey?: string;
  timeoutMs?: number;
  /** The body outlives the time in which an answer must begin. */
  endless?: boolean;
};

export type ApiAuth = {
  token: () => string | undefined;
  /** Gets a new access token; false when the session is over. */
  renew: () => Promise<boolean>;
};

/** Calls whose 401 says something about themselves: renewing for them would wait for itself. */
const sessionCalls: ReadonlySet<OperationId> = new Set<OperationId>([
  'refresh',
  'login',
  'logout',
  'runSetup',
]);
const apiPrefix = '/api/v1';
/** A guard looks at a spinner no longer than this before he is told; a box on the LAN answers in milliseconds. */
const callTimeoutMs = 15_000;
/** 10 MB, the largest upload, over a slow phone link. */
const uploadTimeoutMs = 90_000;

let auth: ApiAuth = { token: () => undefined, renew: () => Promise.resolve(false) };

/** Binds the client to the session. Called once by the session store. */
export function configureApi(next: ApiAuth): void {
  auth = next;
}

/** Calls an operation of the contract and returns its JSON; throws `ApiError`. */
export async function api<K extends OperationId>(id: K, ...[args]: CallArgs<K>): Promise<Result<K>> {
  const response = await send(id, (args ?? {}) as AnyArgs);
  if (response.status === 204) return undefined as Result<K>;
  return (await response.json()) as Result<K>;
}

/** Fetches a download (plan, attachment, export) with the bearer header, which an `<img src>` could not carry. */
export async function apiBlob<K extends OperationId>(id: K, ...[args]: CallArgs<K>): Promise<Blob> {
  return (await send(id, (args ?? {}) as AnyArgs)).blob();
}

/**
 * Opens a download that may never end (a live picture) or is too large to wait for whole (footage, an export). The answer's
 * body is read by the caller for as long as `signal` lets it; only the head must come in time.
 */
export async function apiStream<K extends OperationId>(id: K, ...[args]: CallArgs<K>): Promise<Response> {
  return send(id, { ...((args ?? {}) as AnyArgs), endless: true });
}

/** Address of an operation with its parameters filled in. */
export function apiUrl(id: OperationId, args: Pick<AnyArgs, 'params' | 'query'> = {}): string {
  const path = operations[id].path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(args.params?.[name] ?? '')),
  );
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(args.query ?? {})) {
    if (value !== undefined && value !== null && value !== '')
      query.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  const text = query.toString();
  return `${apiPrefix}${path}${text === '' ? '' : `?${text}`}`;
}

async function send(id: OperationId, args: AnyArgs): Promise<Response> {
  const request = buildRequest(id, args);
  let response = await fetchOnce(request, args);
  if (
    response.status === 401 &&
    !sessionCalls.has(id) &&
    auth.token() !== undefined &&
    (await auth.renew())
  ) {
    response = await fetchOnce(request, args);
  }
  if (!response.ok) throw await toError(response);
  return response;
}

type Prepared = { url: string; method: string; headers: Record<string, string>; body: BodyInit | null };

function buildRequest(id: OperationId, args: AnyArgs): Prepared {
  const { method } = operations[id];
  const headers: Record<string, string> = { Accept: 'application/json', 'X-Siphera-Console': '1' };
  let body: BodyInit | null = null;
  if (args.file) {
    headers['Content-Type'] = args.file.type === '' ? 'application/octet-stream' : args.file.type;
    if (args.fileName) headers['X-File-Name'] = encodeURIComponent(args.fileName);
    body = args.file;
  } else if (args.body !== undefined) {
    headers['Content-Type'] = 'application/json';
    body = JSON.stringify(args.body);
  }
  if (method === 'POST') headers['Idempotency-Key'] = args.idempotencyKey ?? crypto.randomUUID();
  return { url: apiUrl(id, args), method, headers, body };
}

async function fetchOnce(request: Prepared, args: AnyArgs): Promise<Response> {
  const token = auth.token();
  const headers =
    token === undefined ? request.headers : { ...request.headers, Authorization: `Bearer ${token}` };
  const limit = args.endless ? headLimit() : undefined;
  const timeout =
    limit?.signal ?? AbortSignal.timeout(args.timeoutMs ?? (args.file ? uploadTimeoutMs : callTimeoutMs));
  const signal = args.signal ? AbortSignal.any([args.signal, timeout]) : timeout;
  try {
    return await fetch(request.url, {
      method: request.method,
      headers,
      body: request.body,
      signal,
      credentials: 'same-origin',
    });
  } catch (cause) {
    if (args.signal?.aborted) throw cause;
    throw new ApiError({ code: 'network', status: 0, title: 'The box cannot be reached' }, cause);
  } finally {
    limit?.lift();
  }
}

/** A time limit that can be lifted once the answer began. */
function headLimit(): { signal: AbortSignal; lift: () => void } {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), callTimeoutMs);
  return { signal: abort.signal, lift: () => clearTimeout(timer) };
}

async function toError(response: Response): Promise<ApiError> {
  try {
    return new ApiError((await response.json()) as Problem);
  } catch {
    // A proxy in front of a stopped service answers HTML; the status is all there is to tell.
    const code = response.status >= 502 ? 'unavailable' : 'internal';
    return new ApiError({ code, status: response.status, title: response.statusText });
  }
}
