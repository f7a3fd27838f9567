/**
 * The one way out to push services: encrypts (RFC 8291), names this box (VAPID), and sends. The address is checked where the
 * connection is made, after the name was resolved, and that very address is connected to: a name that changes its answer in
 * between gains nothing. Redirects are not followed. Endpoints and keys go into no log.
 */
import { lookup as resolveName } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { rootCertificates } from 'node:tls';
import type { Clock } from '@siphera/runtime';
import webPush from 'web-push';
import { readAnswer, type PushOutcome } from '../domain/push-outcome.ts';
import { refuseEndpoint, refusePushAddress, type AllowedHosts } from '../domain/push-target.ts';
import type { VapidKeys } from '../store/push-subscription.store.ts';

/** Name, connection, handshake and answer together: a service that needs longer is asked again. */
const sendMsMax = 10_000;
/** The answer's body is read by nobody; it is taken in up to here, so that the connection can be used again. */
const answerBytesMax = 8_192;
/** Connections kept to one service, so that an alarm for many phones needs no handshake each. */
const idleSocketsMax = 8;

export type Address = { address: string; family: number };
export type Resolve = (host: string) => Promise<Address[]>;
const bySystem: Resolve = (host) => resolveName(host, { all: true });

export type PushMessage = {
  endpoint: string;
  keys: { p256dh: string; auth: string };
  payload: Buffer;
  ttlSeconds: number;
  urgency: 'normal' | 'high';
  topic: string;
};
export type PushSenderOptions = {
  keys: VapidKeys;
  /** `https:` or `mailto:`: whom a push service writes to when this box misbehaves. */
  contact: string;
  allow: AllowedHosts;
  /** PEM file of a further CA. */
  caFile: string | undefined;
  clock: Clock;
  resolve?: Resolve;
};

/** In words for people: why nothing is sent there. */
class RefusedTargetError extends Error {}

export class PushSender {
  readonly #options: PushSenderOptions;
  readonly #agents = new Map<string, Agent>();
  readonly #abort = new AbortController();
  readonly #ca: string[] | undefined;

  constructor(options: PushSenderOptions) {
    this.#options = options;
    this.#ca =
      options.caFile === undefined ? undefined : [...rootCertificates, readFileSync(options.caFile, 'utf8')];
  }

  /** Never throws for what the other side does. @throws Error when the payload cannot be encrypted to those keys. */
  async send(message: PushMessage): Promise<PushOutcome> {
    const { allow, clock } = this.#options;
    const why = refuseEndpoint(message.endpoint, allow);
    if (why !== undefined) return { kind: 'refused', why: `Not sent: ${why}` };
    const { headers, body } = this.#encrypt(message);
    const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(sendMsMax)]);
    try {
      const url = new URL(message.endpoint);
      const to = await within(this.#resolve(url), signal);
      const { status, retryAfter } = await this.#post(url, to, { headers, body, signal });
      return readAnswer(status, retryAfter, clock.now());
    } catch (error) {
      if (error instanceof RefusedTargetError) return { kind: 'refused', why: error.message };
      return {
        kind: 'later',
        why: `The push service could not be reached: ${describe(error)}`,
        network: true,
        afterMs: undefined,
      };
    }
  }

  /** What is under way fails as if the network were gone. */
  stop(): void {
    this.#abort.abort();
    for (const agent of this.#agents.values()) agent.destroy();
  }

  #encrypt({ endpoint, keys, payload, ttlSeconds, urgency, topic }: PushMessage) {
    const { keys: vapid, contact } = this.#options;
    return webPush.generateRequestDetails({ endpoint, keys }, payload, {
      vapidDetails: { subject: contact, ...vapid },
      contentEncoding: 'aes128gcm',
      TTL: ttlSeconds,
      urgency,
      topic,
    });
  }

  /** @throws RefusedTargetError when one of the addresses must not be called: a mixed answer is an attack. */
  async #resolve(url: URL): Promise<Address> {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const found = await (this.#options.resolve ?? bySystem)(host);
    for (const { address } of found) {
      const why = refusePushAddress(address, url, this.#options.allow);
      if (why !== undefined)
        throw new RefusedTargetError(`Not sent: ${url.hostname} is at ${address}: ${why}`);
    }
    const [first] = found;
    if (!first) throw new Error('its name has no address');
    return first;
  }

  #post(
    url: URL,
    to: Address,
    { headers, body, signal }: { headers: Record<string, unknown>; body: Buffer; signal: AbortSignal },
  ): Promise<{ status: number; retryAfter: string | undefined }> {
    return new Promise((resolve, reject) => {
      const request = httpsRequest(url, {
        method: 'POST',
        headers: headers as Record<string, string>,
        agent: this.#agent(url, to),
        signal,
      });
      request.on('error', reject);
      request.on('response', (response) => {
        drain(response);
        response.on('error', reject);
        response.on('close', () => {
          const retryAfter = response.headers['retry-after'];
          resolve({ status: response.statusCode ?? 0, retryAfter });
        });
      });
      request.end(body);
    });
  }

  /** One for each service and address, since connections that are kept were checked for that address alone. */
  #agent(url: URL, to: Address): Agent {
    const key = `${url.host} ${to.address}`;
    const found = this.#agents.get(key);
    if (found) return found;
    const agent = new Agent({
      keepAlive: true,
      maxFreeSockets: idleSocketsMax,
      ...(this.#ca === undefined ? {} : { ca: this.#ca }),
      // The name is not asked again: what was checked is what is connected to.
      lookup: (_host, options, done) => (options.all ? done(null, [to]) : done(null, to.address, to.family)),
    });
    if (this.#agents.size >= agentsMax) this.#forgetAgents();
    this.#agents.set(key, agent);
    return agent;
  }

  /** Requests under way keep their connections to the end. */
  #forgetAgents(): void {
    for (const agent of this.#agents.values())
      for (const free of Object.values(agent.freeSockets).flat()) free?.destroy();
    this.#agents.clear();
  }
}

/** Addresses of push services change; a handful is in use at a time. */
const agentsMax = 64;

function drain(response: IncomingMessage): void {
  let bytes = 0;
  response.on('data', (part: Buffer) => {
    bytes += part.length;
    if (bytes > answerBytesMax) response.destroy();
  });
}

/** The resolver cannot be called off, only not be waited for. */
async function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: over, reject } = Promise.withResolvers<never>();
  const end = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    return await Promise.race([promise, over]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'it is not known why';
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'it did not answer in time';
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? error.message.slice(0, 120) : code;
}
