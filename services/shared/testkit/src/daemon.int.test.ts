import { describe, expect, it } from 'vitest';
import { startDaemon } from './daemon.ts';
import { exchange } from './http.ts';
import { freePort } from './ports.ts';

const server = (port: number) =>
  `require('node:http').createServer((q, s) => s.end(process.env.WORD ?? 'none')).listen(${port}, '127.0.0.1');console.log('up')`;

describe('a daemon of the test kit', () => {
  it('is killed by its pid, starts again on the same port, and keeps its output', async () => {
    const port = await freePort();
    const ask = async () => (await exchange(`http://127.0.0.1:${port}/`)).body.toString();
    await using daemon = await startDaemon({
      name: 'echo',
      command: process.execPath,
      args: ['-e', server(port)],
      ready: async () => (await ask()) !== '',
    });
    const before = daemon.pid;
    await daemon.kill9();
    expect(daemon.running).toBe(false);
    await daemon.restart({ WORD: 'again' });
    expect(daemon.pid).not.toBe(before);
    expect(await ask()).toBe('again');
    expect(daemon.logs()).toBe('up\nup\n');
  });

  it('shows the last words of a program that ends instead of starting', async () => {
    const started = startDaemon({
      name: 'broken',
      command: process.execPath,
      args: ['-e', 'console.error("PORT: must be a number"); process.exit(78)'],
      ready: () => false,
    });
    await expect(started).rejects.toThrow('PORT: must be a number');
  });
});
