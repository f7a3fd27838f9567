import { mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startListener } from './listen.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'siphera-listen-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const hello = (_request: unknown, response: { end(text: string): unknown }): void =>
  void response.end('hello');

function ask(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: '/' }, (response) => {
      let text = '';
      response.on('data', (part: Buffer) => (text += part.toString()));
      response.on('end', () => resolve(text));
    })
      .on('error', reject)
      .end();
  });
}

/** A socket file whose owner is gone, as kill -9 leaves it: net unlinks the name it bound, so it is bound elsewhere. */
async function leaveStaleSocket(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}.was`, resolve));
  renameSync(`${path}.was`, path);
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

describe('a unix socket', () => {
  it('takes the place of one whose owner is gone, for its user and group alone', async () => {
    const path = join(dir, 's');
    await leaveStaleSocket(path);
    const listener = await startListener(`unix:${path}`, hello);
    expect(await ask(path)).toBe('hello');
    expect(statSync(path).mode & 0o777).toBe(0o660);
    await listener.close();
  });

  it('leaves one alone on which another process answers', async () => {
    const path = join(dir, 's');
    const owner = await startListener(`unix:${path}`, hello);
    await expect(startListener(`unix:${path}`, hello)).rejects.toThrow(/Another process already listens/);
    expect(await ask(path)).toBe('hello');
    await owner.close();
  });
});

describe('a TCP listener', () => {
  it('says when the port is taken', async () => {
    const owner = await startListener('127.0.0.1:0', hello);
    await expect(startListener(`127.0.0.1:${owner.port}`, hello)).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    await owner.close();
  });

  it('bounds headers, body and connections of everybody', async () => {
    const { server, close } = await startListener('127.0.0.1:0', hello);
    expect(server.headersTimeout).toBeGreaterThan(0);
    expect(server.headersTimeout).toBeLessThanOrEqual(10_000);
    expect(server.requestTimeout).toBeLessThanOrEqual(60_000);
    expect(server.maxConnections).toBeGreaterThan(0);
    await close();
  });

  it('cuts one who sends his headers drop by drop', async () => {
    const { server, port, close } = await startListener('127.0.0.1:0', hello, undefined, {
      headersTimeoutMs: 50,
      requestTimeoutMs: 50,
      checkEveryMs: 20,
    });
    expect(server.headersTimeout).toBe(50);
    const slow = createConnection(port, '127.0.0.1');
    let answer = '';
    slow.on('data', (part: Buffer) => (answer += part.toString()));
    slow.write('GET / HTTP/1.1\r\nHost: x\r\n');
    const drops = setInterval(() => slow.write('X-Drop: 1\r\n'), 10);
    // Writing to what was cut is an error of the slow one, not of ours.
    slow.on('error', () => undefined);
    await new Promise<void>((resolve) => slow.once('close', () => resolve()));
    clearInterval(drops);
    expect(answer).not.toContain('hello');
    await close();
  });

  it('ends open connections when it closes', async () => {
    const { port, close } = await startListener('127.0.0.1:0', hello);
    const idle = createConnection(port, '127.0.0.1');
    await new Promise<void>((resolve) => idle.once('connect', () => resolve()));
    const gone = new Promise<void>((resolve) => idle.once('close', () => resolve()));
    idle.on('error', () => undefined);
    await close();
    await gone;
  });
});
