/** One HTTP exchange, over loopback or through the front door with its own CA; certificate errors are never ignored. */
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { callMsMax } from './bounds.ts';

export type HttpAnswer = { status: number; headers: IncomingHttpHeaders; body: Buffer };
export type HttpAsk = {
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: Buffer | string;
  /** PEM of the CA that must have signed the server's certificate. */
  ca?: string;
};

/** Names of an origin resolve to loopback: the box's host name exists in no resolver of a test machine. */
const lookup = (
  _host: string,
  options: { all?: boolean | undefined },
  done: (error: null, address: string | { address: string; family: number }[], family?: number) => void,
): void => {
  if (options.all === true) done(null, [{ address: '127.0.0.1', family: 4 }]);
  else done(null, '127.0.0.1', 4);
};

/** Sends one request and reads the whole answer. */
export async function exchange(url: string, ask: HttpAsk = {}): Promise<HttpAnswer> {
  const response = await open(url, ask);
  const parts: Buffer[] = [];
  for await (const part of response as AsyncIterable<Buffer>) parts.push(part);
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) };
}

/** Sends one request and hands over the answer while it still comes, e.g. server-sent events. */
export function open(url: string, ask: HttpAsk = {}): Promise<IncomingMessage> {
  const { method = 'GET', headers = {}, body, ca } = ask;
  const send = url.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send(
      url,
      { method, headers, lookup, agent: false, ...(ca === undefined ? {} : { ca }) },
      resolve,
    );
    request.setTimeout(callMsMax, () =>
      request.destroy(new Error(`${method} ${url}: no answer in ${callMsMax} ms`)),
    );
    request.once('error', reject);
    request.end(body);
  });
}
