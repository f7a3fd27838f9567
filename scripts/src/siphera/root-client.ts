/** Core's internal API as root uses it: the three calls that need the admin key. */
import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { internalAdminHeader, Problem } from '@siphera/contract';
import { AppError } from '@siphera/runtime';
import { type BoxPlace, pkiFile } from './box.ts';

/** A self-test makes a key pair and an account; it needs no longer than this. */
const answerTimeoutMs = 10_000;
const answerBytesMax = 1024 * 1024;

/** @throws AppError with core's own reason, or `unavailable` when core does not answer. */
export async function callAsRoot(box: BoxPlace, path: string, body: unknown = {}): Promise<unknown> {
  const payload = JSON.stringify(body);
  const options: RequestOptions = {
    method: 'POST',
    path,
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(payload),
      [internalAdminHeader]: readAdminKey(box),
    },
    timeout: answerTimeoutMs,
  };
  const answer = await send(box, options, payload);
  const text = await readText(answer);
  const value: unknown = text === '' ? undefined : JSON.parse(text);
  if (answer.statusCode !== undefined && answer.statusCode < 300) return value;
  const problem = Problem.safeParse(value);
  throw problem.success
    ? new AppError(problem.data.code, problem.data.detail ?? problem.data.title)
    : new AppError('unavailable', `Core answered ${answer.statusCode ?? 0}`);
}

function readAdminKey(box: BoxPlace): string {
  try {
    return readFileSync(join(box.etcDir, 'secrets', 'admin.key'), 'utf8').trim();
  } catch (cause) {
    throw new AppError('forbidden', 'Only root may do this (cannot read the admin key). Use sudo.', {
      cause,
    });
  }
}

function send(box: BoxPlace, options: RequestOptions, payload: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request =
      'socketPath' in box.internal
        ? httpRequest({ ...options, socketPath: box.internal.socketPath }, resolve)
        : httpsRequest(
            {
              ...options,
              ...box.internal,
              cert: readFileSync(pkiFile(box, 'internal', 'cli', 'cli.crt')),
              key: readFileSync(pkiFile(box, 'internal', 'cli', 'cli.key')),
              ca: readFileSync(pkiFile(box, 'internal', 'cli', 'ca.crt')),
            },
            resolve,
          );
    request.once('error', (cause) =>
      reject(new AppError('unavailable', 'Core does not answer (siphera status, siphera doctor)', { cause })),
    );
    request.once('timeout', () => request.destroy(new Error('timeout')));
    request.end(payload);
  });
}

async function readText(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > answerBytesMax) throw new AppError('unavailable', 'Core sent too long an answer');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
