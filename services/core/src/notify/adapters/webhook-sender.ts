/**
 * Sends one signed webhook (Standard Webhooks). The address is checked where the connection is made, after the name was
 * resolved, and that very address is connected to: a name that changes its answer in between gains nothing. Redirects
 * are not followed.
 */
import { lookup as resolveName } from 'node:dns/promises';
import { existsSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { networkInterfaces } from 'node:os';
import { AppError } from '@siphera/runtime';
import { Webhook } from 'standardwebhooks';
import { refuseAddress, type GuardRules } from '../domain/target-guard.ts';

const timeoutMs = 10_000;
const answerBytesMax = 2_000;

export type WebhookCall = {
  url: string;
  secret: string;
  id: string;
  atMs: number;
  payload: string;
  allow: readonly string[];
};

export type Address = { address: string; family: number };
export type Resolve = (host: string) => Promise<Address[]>;
const bySystem: Resolve = (host) => resolveName(host, { all: true });

/** @returns the status line. @throws AppError `target_refused`, or `unavailable` with what the target answered. */
export async function sendWebhook(call: WebhookCall, resolve: Resolve = bySystem): Promise<string> {
  const url = new URL(call.url);
  const address = await resolveAllowed(url.hostname.replace(/^\[|\]$/g, ''), resolve, {
    allow: call.allow,
    own: ownNetworks(),
  });
  const at = new Date(call.atMs);
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(call.payload),
    'user-agent': 'Siphera',
    'webhook-id': call.id,
    'webhook-timestamp': String(Math.floor(call.atMs / 1_000)),
    'webhook-signature': new Webhook(call.secret).sign(call.id, at, call.payload),
  };
  const { status, text } = await post(url, address, headers, call.payload);
  if (status >= 200 && status < 300) return `HTTP ${status}`;
  throw new AppError(
    'unavailable',
    `The target answered HTTP ${status}${text === '' ? '' : `: ${text.slice(0, 200)}`}`,
  );
}

/** Our addresses; inside a container also the networks they are in, which are the box's own. */
function ownNetworks(): string[] {
  const contained = existsSync('/.dockerenv');
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .flatMap((one) => (contained && one.cidr ? [one.cidr] : [one.address.split('%')[0] ?? one.address]));
}

async function resolveAllowed(host: string, resolve: Resolve, rules: GuardRules): Promise<Address> {
  let found: Address[];
  try {
    found = await resolve(host);
  } catch (cause) {
    throw new AppError('unavailable', `The name ${host} could not be resolved.`, { cause });
  }
  for (const { address } of found) {
    const why = refuseAddress(address, rules);
    if (why !== undefined)
      throw new AppError('target_refused', `${host} (${address}) is refused: ${why}.`, {
        hint: 'A target on the building’s LAN can be allowed in the settings.',
      });
  }
  const first = found[0];
  if (!first) throw new AppError('unavailable', `The name ${host} has no address.`);
  return first;
}

function post(
  url: URL,
  to: Address,
  headers: Record<string, string | number>,
  payload: string,
): Promise<{ status: number; text: string }> {
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send(url, {
      method: 'POST',
      headers,
      timeout: timeoutMs,
      agent: false,
      // The name is not asked again: what was checked is what is connected to.
      lookup: (_host, options, done) => (options.all ? done(null, [to]) : done(null, to.address, to.family)),
    });
    const overall = setTimeout(() => request.destroy(new Error('it did not answer in time')), timeoutMs);
    request.on('timeout', () => request.destroy(new Error('it did not answer in time')));
    request.on('error', (cause) => {
      clearTimeout(overall);
      reject(new AppError('unavailable', `The target could not be reached: ${cause.message}`, { cause }));
    });
    request.on('response', (response) => {
      let text = '';
      response.on('data', (part: Buffer) => {
        if (text.length < answerBytesMax)
          text += part.toString('utf8').slice(0, answerBytesMax - text.length);
        else response.destroy();
      });
      response.on('close', () => {
        clearTimeout(overall);
        resolve({ status: response.statusCode ?? 0, text: text.replaceAll(/\p{Cc}/gu, ' ') });
      });
    });
    request.end(payload);
  });
}
