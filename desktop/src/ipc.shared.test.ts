import { describe, expect, it } from 'vitest';
import { createHandle, Nothing, Severity, type CallEvent, type IpcPort } from './ipc.shared.ts';

type Listener = (event: CallEvent, ...args: unknown[]) => Promise<unknown>;

function port() {
  const listeners = new Map<string, Listener>();
  const refused: string[] = [];
  const ipc: IpcPort = { handle: (channel, listener) => listeners.set(channel, listener) };
  const handle = createHandle(
    ipc,
    (url) => url.startsWith('https://box.example/'),
    (channel, why) => refused.push(`${channel} ${why}`),
  );
  const call = (channel: string, frame: CallEvent['senderFrame'], ...args: unknown[]): Promise<unknown> =>
    listeners.get(channel)!({ senderFrame: frame }, ...args);
  return { handle, call, refused };
}

const page = { url: 'https://box.example/board', parent: null };

describe('a call from a page', () => {
  it('reaches its function with what the schema let through', async () => {
    const { handle, call } = port();
    handle('alarm', Severity, (severity) => `got ${severity}`);
    handle('clear', Nothing, () => 'clear');
    expect(await call('alarm', page, 'critical')).toBe('got critical');
    expect(await call('clear', page)).toBe('clear');
  });

  it.each([[[]], [['loud']], [[{ severity: 'high' }]], [['high', 'more']], [[null]]])(
    'is rejected with bad input: %j',
    async (args) => {
      const { handle, call, refused } = port();
      handle('alarm', Severity, () => 'never');
      await expect(call('alarm', page, ...args)).rejects.toThrow(/^bad_input$/);
      expect(refused).toEqual(['alarm bad_input']);
    },
  );

  it.each([
    ['another origin', { url: 'https://evil.example/', parent: null }],
    ['a frame inside the page', { url: 'https://box.example/', parent: {} }],
    ['a frame that is gone', null],
  ])('is rejected from %s', async (_name, frame) => {
    const { handle, call } = port();
    handle('alarm', Severity, () => 'never');
    await expect(call('alarm', frame, 'high')).rejects.toThrow(/^wrong_sender$/);
  });

  it('tells the page nothing of what failed inside', async () => {
    const { handle, call } = port();
    handle('clear', Nothing, () => {
      throw new Error('/home/guard/.config is full');
    });
    await expect(call('clear', page)).rejects.toThrow(/^failed$/);
  });
});
