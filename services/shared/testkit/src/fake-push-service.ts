/**
 * A push service for tests (RFC 8030) with browsers in it: HTTPS on loopback, it checks who sends (VAPID, RFC 8292) and decrypts
 * what came (RFC 8291 over RFC 8188) with nothing but node's crypto, so that a fault in the sender's library shows. It can refuse, be slow,
 * ask for patience, and send elsewhere.
 */
import {
  createDecipheriv,
  createECDH,
  createHmac,
  createPublicKey,
  randomBytes,
  verify,
  type ECDH,
} from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTestCa } from './pki.ts';

/** What came for a browser, as the carrier sees it, and as the browser reads it. */
export type ReceivedPush = {
  /** Of the request, without the host. */
  path: string;
  headers: IncomingHttpHeaders;
  /** Encrypted. */
  body: Buffer;
  /** Claims of the sender's token. */
  claims: { aud: string; exp: number; sub: string };
  /** Decrypted, as it came. */
  plaintext: Buffer;
  payload: Record<string, unknown>;
};
/** How the service answers; what is refused is not received. */
export type PushAnswer = {
  status: number;
  headers?: Record<string, string>;
  delayMs?: number;
  /** The body of the answer has no end. */
  endless?: true;
};

export type FakeBrowser = {
  /** What `pushManager.subscribe` answers, for `putPushSubscription`. */
  subscription: { endpoint: string; keys: { p256dh: string; auth: string } };
  received: ReceivedPush[];
  /** Instead of 201, for this browser alone; undefined again: 201. */
  answerWith(answer: PushAnswer | undefined): void;
};

export type FakePushService = AsyncDisposable & {
  /** `localhost:port`, for PUSH_ALLOW_HOSTS. */
  host: string;
  port: number;
  /** PEM of the CA that signed it, for PUSH_CA_FILE. */
  caFile: string;
  /** @param applicationServerKey the box's public key: pushes of any other sender are refused. */
  subscribe(applicationServerKey: string): FakeBrowser;
  /** Why requests were refused that should not have been: bad tokens, bad encryption, unknown addresses. */
  faults: string[];
  /** Every request, also those that were refused. */
  requests: number;
  close(): Promise<void>;
};

type Browser = FakeBrowser & {
  path: string;
  curve: ECDH;
  auth: Buffer;
  applicationServerKey: string;
  answer: PushAnswer | undefined;
};

/** A day and a bit for clocks (RFC 8292 §2: at most 24 h). */
const tokenSecondsMax = 24 * 3_600 + 60;
/** RFC 8030 §7.2: a service takes 4,096 bytes and may refuse more. */
const bodyBytesMax = 4_096;

/** @param dir for the certificate; it is gone with the test. */
export async function startFakePushService(dir: string): Promise<FakePushService> {
  const ca = await createTestCa(`${dir}/push-pki`);
  const files = await ca.issueServer('push', 'push', ['localhost', '127.0.0.1']);
  const browsers = new Map<string, Browser>();
  const server = createServer({
    cert: await readFile(files.certFile),
    key: await readFile(files.keyFile),
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const host = `localhost:${port}`;
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  const service: FakePushService = {
    host,
    port,
    caFile: ca.caFile,
    faults: [],
    requests: 0,
    subscribe: (applicationServerKey) => {
      const browser = makeBrowser(host, applicationServerKey);
      browsers.set(browser.path, browser);
      return browser;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
  server.on('request', (request, response) => {
    service.requests += 1;
    take(browsers.get(request.url ?? ''), request, response, `https://${host}`).catch((error: unknown) => {
      service.faults.push(error instanceof Error ? error.message : String(error));
      if (!response.headersSent) response.writeHead(400);
      response.end();
    });
  });
  return service;
}

function makeBrowser(host: string, applicationServerKey: string): Browser {
  const curve = createECDH('prime256v1');
  const p256dh = curve.generateKeys('base64url');
  const auth = randomBytes(16);
  const path = `/push/${randomBytes(24).toString('base64url')}`;
  const browser: Browser = {
    path,
    curve,
    auth,
    applicationServerKey,
    answer: undefined,
    subscription: { endpoint: `https://${host}${path}`, keys: { p256dh, auth: auth.toString('base64url') } },
    received: [],
    answerWith: (answer) => {
      browser.answer = answer;
    },
  };
  return browser;
}

async function take(
  browser: Browser | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  origin: string,
): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  const body = Buffer.concat(parts);
  if (!browser) throw new Error(`There is no browser at ${request.url}`);
  if (request.method !== 'POST') throw new Error(`A push is posted, not ${request.method}`);
  if (body.length > bodyBytesMax) throw new Error(`A push of ${body.length} bytes is too long`);
  if (!/^\d+$/.test(request.headers['ttl']?.toString() ?? '')) throw new Error('A push needs a TTL');
  const { answer } = browser;
  if (answer?.delayMs !== undefined) await sleep(answer.delayMs);
  if (answer && answer.status !== 201) {
    response.writeHead(answer.status, answer.headers);
    if (answer.endless)
      Readable.from(endlessBody())
        .on('error', () => response.destroy())
        .pipe(response);
    else response.end();
    return;
  }
  const claims = readVapid(request.headers.authorization ?? '', browser.applicationServerKey, origin);
  if (request.headers['content-encoding'] !== 'aes128gcm') throw new Error('It is not aes128gcm');
  const plaintext = decrypt(body, browser);
  const payload = JSON.parse(plaintext.toString('utf8')) as Record<string, unknown>;
  browser.received.push({
    path: request.url ?? '',
    headers: request.headers,
    body,
    claims,
    plaintext,
    payload,
  });
  response.writeHead(201, { location: `${origin}/message/${randomBytes(8).toString('base64url')}` }).end();
}

function* endlessBody(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(1_024, 'x');
}

/** RFC 8292: `vapid t=<JWT>, k=<key>`. @throws Error when it is not by that key, for this service, and for now. */
function readVapid(header: string, applicationServerKey: string, origin: string): ReceivedPush['claims'] {
  const [, token, key] = /^vapid t=([\w.-]+), ?k=([\w-]+)$/.exec(header) ?? [];
  if (token === undefined || key === undefined) throw new Error('It has no VAPID header');
  if (key !== applicationServerKey) throw new Error('It is of another sender than was subscribed to');
  const [head = '', claimText = '', signature = ''] = token.split('.');
  const point = Buffer.from(key, 'base64url');
  const publicKey = createPublicKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    },
  });
  const good = verify(
    'sha256',
    Buffer.from(`${head}.${claimText}`),
    { key: publicKey, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
  if (!good) throw new Error('Its token is not signed by its key');
  const claims = JSON.parse(Buffer.from(claimText, 'base64url').toString()) as ReceivedPush['claims'];
  const left = claims.exp - Date.now() / 1_000;
  if (left <= 0 || left > tokenSecondsMax) throw new Error('Its token is not for now');
  if (claims.aud !== origin) throw new Error(`Its token is for ${claims.aud}`);
  if (!/^(mailto:|https:)/.test(claims.sub)) throw new Error('Its token names nobody');
  return claims;
}

/** RFC 8188 with the key of RFC 8291 §3.4. @throws Error when it is not for this browser, or was changed on the way. */
function decrypt(body: Buffer, { curve, auth }: Browser): Buffer {
  const salt = body.subarray(0, 16);
  const recordBytes = body.readUInt32BE(16);
  const idBytes = body.readUInt8(20);
  const senderKey = body.subarray(21, 21 + idBytes);
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), curve.getPublicKey(), senderKey]);
  const ikm = hkdf(auth, curve.computeSecret(senderKey), info, 32);
  const key = hkdf(salt, ikm, Buffer.from('Content-Encoding: aes128gcm\0'), 16);
  const nonce = hkdf(salt, ikm, Buffer.from('Content-Encoding: nonce\0'), 12);
  const record = body.subarray(21 + idBytes);
  // RFC 8291 §4: one record only.
  if (record.length > recordBytes) throw new Error('It has more than one record');
  const decipher = createDecipheriv('aes-128-gcm', key, nonce);
  decipher.setAuthTag(record.subarray(-16));
  const padded = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()]);
  const end = padded.findLastIndex((byte) => byte !== 0);
  if (padded[end] !== 2) throw new Error('Its record is not the last one');
  return padded.subarray(0, end);
}

/** RFC 5869 with SHA-256, for one block of output. */
function hkdf(salt: Buffer, ikm: Buffer, info: Buffer, length: number): Buffer {
  const prk = createHmac('sha256', salt).update(ikm).digest();
  return createHmac('sha256', prk)
    .update(Buffer.concat([info, Buffer.from([1])]))
    .digest()
    .subarray(0, length);
}
