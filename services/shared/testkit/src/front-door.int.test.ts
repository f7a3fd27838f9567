/** The front door by itself, with services behind it that only count what reaches them: what talk and the service worker need. */
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FrontDoor, startFrontDoor } from './front-door.ts';
import { exchange } from './http.ts';
import { createTestCa } from './pki.ts';
import { freePort } from './ports.ts';
import { type TempDir, tempDir } from './temp-dir.ts';

const mebibyte = 1024 * 1024;
let dir: TempDir;
let door: FrontDoor;
let ca: string;
const behind: Record<string, Server> = {};

beforeAll(async () => {
  dir = await tempDir('front-door');
  const webDir = join(dir.path, 'web');
  await mkdir(webDir, { recursive: true });
  for (const name of ['index.html', 'sw.js', 'manifest.webmanifest'])
    await writeFile(join(webDir, name), name);
  const testCa = await createTestCa(join(dir.path, 'pki'));
  ca = testCa.caPem;
  const ports: Record<string, number> = {};
  for (const name of ['core', 'panel', 'signaling', 'camera'])
    ports[name] = await listen((behind[name] = counting(name)));
  const { core = 0, panel = 0, signaling = 0, camera = 0 } = ports;
  const upstream = { core, panel, signaling, camera };
  door = await startFrontDoor({
    dir: dir.path,
    port: await freePort(),
    hostName: 'localhost',
    ca: testCa,
    webDir,
    upstream,
  });
});
afterAll(async () => {
  await door.daemon.stop();
  for (const server of Object.values(behind)) server.close();
  await dir[Symbol.asyncDispose]();
});

/** Answers with its name and how many bytes came. */
const counting = (name: string): Server =>
  createServer((request, response) => {
    let bytes = 0;
    request.on('data', (part: Buffer) => (bytes += part.length));
    request.on('end', () => response.end(`${name} ${bytes}`));
  });
async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
const send = (path: string, bytes: number) =>
  exchange(`${door.origin}${path}`, { method: 'POST', ca, body: Buffer.alloc(bytes) });
const get = (path: string) => exchange(`${door.origin}${path}`, { ca });

describe('talk behind the front door', () => {
  it('is signaling, for messages of 2 MiB and files of 25 MiB, and for nothing larger', async () => {
    expect((await send('/api/v1/talk/direct', 2 * mebibyte)).body.toString()).toBe(
      `signaling ${2 * mebibyte}`,
    );
    expect((await send('/api/v1/talk/direct', 4 * mebibyte)).status).toBe(413);
    expect((await send('/api/v1/talk/files', 26_214_400)).body.toString()).toBe('signaling 26214400');
    expect((await send('/api/v1/talk/files', 28 * mebibyte)).status).toBe(413);
  });

  it('takes small receipts of pushes, and not many of them at once from one address', async () => {
    expect((await send('/api/v1/talk/push/receipts', 200)).body.toString()).toBe('signaling 200');
    expect((await send('/api/v1/talk/push/receipts', 8_192)).status).toBe(413);
    const flood = await Promise.all(
      Array.from({ length: 200 }, () => send('/api/v1/talk/push/receipts', 10)),
    );
    expect(flood.filter(({ status }) => status === 429).length).toBeGreaterThan(0);
    expect(flood.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
  });
});

it('opens websockets of softphones for one address as often as a control room needs them', async () => {
  const flood = await Promise.all(Array.from({ length: 300 }, () => get('/sip')));
  expect(flood.filter(({ status }) => status === 429).length).toBeGreaterThan(0);
  // Nobody is there; they would have been handed on.
  expect(flood.filter(({ status }) => status === 502).length).toBeGreaterThan(100);
});

describe('the service worker', () => {
  it('is kept by no cache, may have the whole console, and stays under its policy', async () => {
    const { headers, body } = await get('/sw.js');
    expect(body.toString()).toBe('sw.js');
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['service-worker-allowed']).toBe('/');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['content-type']).toMatch(/javascript/);
  });

  it('comes with a manifest of its own type', async () => {
    const { headers } = await get('/manifest.webmanifest');
    expect(headers['content-type']).toBe('application/manifest+json');
    expect(headers['cache-control']).toBe('public, max-age=300');
    expect(headers['content-security-policy']).toContain("manifest-src 'self'");
  });
});
