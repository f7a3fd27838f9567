/**
 * One HTTP request to a camera: bounded in bytes and in time from the first to the last byte, over a connection of its own,
 * following no redirect, to an address that was checked. What a camera sends cannot fill memory, hold us for ever, or send us elsewhere.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { RefusedAddressError, type Address, type CameraNetwork } from '../camera-network.ts';

export type HttpTarget = { host: string; port: number; path: string; secure: boolean };
export type HttpAnswer = { status: number; rawHeaders: readonly string[]; contentType: string; body: Buffer };

/** Nobody there, or nothing in time. */
export class UnreachableError extends Error {}
/** It answers, but with what no camera should. */
export class NonsenseError extends Error {}

export async function boundedRequest(
  target: HttpTarget,
  network: CameraNetwork,
  options: {
    method: 'GET' | 'POST';
    headers: Readonly<Record<string, string | number>>;
    body?: string;
    timeoutMs: number;
    bytesMax: number;
  },
): Promise<HttpAnswer> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), options.timeoutMs);
  try {
    const to = await network.address(target.host);
    const response = await open(target, to, options, abort.signal);
    const body = await readBody(response, options.bytesMax);
    return {
      status: response.statusCode ?? 0,
      rawHeaders: response.rawHeaders,
      contentType: response.headers['content-type'] ?? '',
      body,
    };
  } catch (error) {
    if (error instanceof NonsenseError || error instanceof RefusedAddressError) throw error;
    const why = abort.signal.aborted
      ? `no answer within ${options.timeoutMs} ms`
      : ((error as NodeJS.ErrnoException).code ?? (error as Error).message);
    throw new UnreachableError(why, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function open(
  { host, port, path, secure }: HttpTarget,
  to: Address,
  options: Parameters<typeof boundedRequest>[2],
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = secure ? httpsRequest : httpRequest;
    const request = send(
      {
        host,
        port,
        path,
        method: options.method,
        headers: { ...options.headers, connection: 'close' },
        agent: false,
        // The name is not asked again: what was checked is what is connected to.
        lookup: (_host, { all }, done) =>
          all === true ? done(null, [to]) : done(null, to.address, to.family),
        signal,
        // A camera's certificate is its own; credentials go as digests only, never in the open.
        ...(secure ? { rejectUnauthorized: false } : {}),
      },
      resolve,
    );
    request.once('error', reject);
    request.end(options.body);
  });
}

async function readBody(response: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const status = response.statusCode ?? 0;
  if (status >= 300 && status < 400) {
    response.destroy();
    throw new NonsenseError('it answers with a redirect, which is not followed');
  }
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > bytesMax) {
      response.destroy();
      throw new NonsenseError(`its answer is larger than ${bytesMax} bytes`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts);
}
