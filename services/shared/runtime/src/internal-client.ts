/** Client of core's internal API, over its unix socket (native) or mTLS (Compose). */
import { readFileSync } from 'node:fs';
import {
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { Problem } from '@siphera/contract';
import { AppError } from './app-error.ts';
import type { TlsFiles } from './listen.ts';

/** Core answers an append after its commit; a disk that hangs longer than this counts as core being away. */
const answerTimeoutMs = 10_000;
const answerBytesMax = 32 * 1024 * 1024;

/** The three files of a service that speaks mTLS to core; undefined over the unix socket. */
export function internalTls(config: {
  INTERNAL_CERT_FILE?: string | undefined;
  INTERNAL_KEY_FILE?: string | undefined;
  INTERNAL_CA_FILE?: string | undefined;
}): TlsFiles | undefined {
  const { INTERNAL_CERT_FILE: certFile, INTERNAL_KEY_FILE: keyFile, INTERNAL_CA_FILE: caFile } = config;
  return certFile !== undefined && keyFile !== undefined && caFile !== undefined
    ? { certFile, keyFile, caFile }
    : undefined;
}

export class InternalClient {
  readonly #base: RequestOptions;
  readonly #send: typeof httpRequest;

  /** @param url `unix:/path` or `https://host:port` (then with `tls`). */
  constructor(url: string, tls?: TlsFiles) {
    if (url.startsWith('unix:')) {
      this.#send = httpRequest;
      this.#base = {
        socketPath: url.slice('unix:'.length),
        agent: new HttpAgent({ keepAlive: true, maxSockets: 16 }),
      };
      return;
    }
    if (!tls) throw new Error('An https internal URL needs certificate, key and CA files');
    const { hostname, port } = new URL(url);
    this.#send = httpsRequest;
    this.#base = {
      host: hostname,
      port,
      agent: new HttpsAgent({
        keepAlive: true,
        maxSockets: 16,
        cert: readFileSync(tls.certFile),
        key: readFileSync(tls.keyFile),
        ca: readFileSync(tls.caFile),
      }),
    };
  }

  /** @throws AppError: core's own problem, or `unavailable` when core did not answer. */
  async call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<unknown> {
    const response = await this.#open(method, path, body, answerTimeoutMs);
    const text = await readAll(response);
    return readAnswer(response.statusCode ?? 0, text, path);
  }

  /** Opens an answer that does not end. The caller reads lines and destroys it. @throws AppError `gone` or `unavailable`. */
  async stream(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const response = await this.#open('GET', path, undefined, answerTimeoutMs, signal);
    if (response.statusCode === 200) return response;
    response.destroy();
    if (response.statusCode === 410) throw new AppError('gone', `Core no longer keeps what ${path} asks for`);
    throw new AppError('unavailable', `Core refused ${path} with ${response.statusCode ?? 0}`);
  }

  #open(
    method: string,
    path: string,
    body: unknown,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<IncomingMessage> {
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers = payload ? { 'content-type': 'application/json', 'content-length': payload.length } : {};
    return new Promise((resolve, reject) => {
      const request = this.#send(
        { ...this.#base, method, path, headers, ...(signal ? { signal } : {}) },
        resolve,
      );
      const fail = (cause: unknown): void =>
        reject(new AppError('unavailable', 'Core does not answer', { cause }));
      request.once('error', fail);
      request.setTimeout(timeoutMs, () => request.destroy(new Error('timeout')));
      request.end(payload);
    });
  }
}

async function readAll(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      size += part.length;
      if (size > answerBytesMax) throw new Error('answer too large');
      parts.push(part);
    }
  } catch (cause) {
    throw new AppError('unavailable', 'Core broke off its answer', { cause });
  }
  return Buffer.concat(parts).toString('utf8');
}

function readAnswer(status: number, text: string, path: string): unknown {
  let value: unknown;
  try {
    value = text === '' ? undefined : JSON.parse(text);
  } catch (cause) {
    throw new AppError('unavailable', `Core answered ${path} with something that is not JSON`, { cause });
  }
  if (status >= 200 && status < 300) return value;
  const problem = Problem.safeParse(value);
  if (problem.success) throw new AppError(problem.data.code, problem.data.detail ?? problem.data.title);
  throw new AppError('unavailable', `Core answered ${path} with status ${status}`);
}
