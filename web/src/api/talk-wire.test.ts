import { describe, expect, it } from 'vitest';
import type { ClientToServer, ServerToClient } from '@siphera/contract';
import type { Socket } from 'socket.io-client';
import { TalkWire } from './talk-wire.ts';

type Ack = (error: Error | null, result?: { ok: boolean; reason?: string }) => void;

/** The socket at the wire: what is emitted on it, and what the server says. */
class FakeSocket {
  connected = false;
  readonly emitted: unknown[][] = [];
  readonly #listeners = new Map<string, ((...args: unknown[]) => void)[]>();
  /** How the server answers `talkOpen`; undefined: not in time. */
  answer: { ok: boolean; reason?: string } | undefined = { ok: true };

  on(event: string, run: (...args: unknown[]) => void): void {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), run]);
  }
  say(event: string, ...args: unknown[]): void {
    if (event === 'connect') this.connected = true;
    if (event === 'disconnect') this.connected = false;
    for (const run of this.#listeners.get(event) ?? []) run(...args);
  }
  emit(...args: unknown[]): void {
    this.emitted.push(args);
  }
  timeout(_ms: number): { emit: (event: string, body: unknown, ack: Ack) => void } {
    return {
      emit: (event, body, ack) => {
        this.emitted.push([event, body]);
        if (this.answer) ack(null, this.answer);
        else ack(new Error('timeout'));
      },
    };
  }
}
type RealSocket = Socket<ServerToClient, ClientToServer>;
function wired(): { wire: TalkWire; socket: FakeSocket; unbind: () => void; said: string[] } {
  const wire = new TalkWire();
  const socket = new FakeSocket();
  const said: string[] = [];
  wire.on('talk', ({ upto }) => said.push(`talk ${upto}`));
  wire.on('talkGone', ({ reason }) => said.push(`gone ${reason}`));
  wire.on('presence', (changed) => said.push(`presence ${changed.length}`));
  wire.on('reads', ({ seq }) => said.push(`reads ${seq}`));
  wire.onConnect(() => said.push('connected'));
  wire.onDisconnect(() => said.push('disconnected'));
  return { wire, socket, unbind: wire.bind(socket as unknown as RealSocket), said };
}

describe('talk on the socket', () => {
  it('passes on what the server says, over every connection', () => {
    const { wire, socket, said } = wired();
    expect(wire.connected()).toBe(false);
    socket.say('connect');
    socket.say('talk', { upto: 4 });
    socket.say('presence', [{}, {}]);
    socket.say('reads', { seq: 7 });
    socket.say('disconnect');
    socket.say('connect');
    socket.say('talkGone', { reason: 'elsewhere' });
    expect(said).toEqual([
      'connected',
      'talk 4',
      'presence 2',
      'reads 7',
      'disconnected',
      'connected',
      'gone elsewhere',
    ]);
    expect(wire.connected()).toBe(true);
  });

  it('opens the queue with an answer, or says why not', async () => {
    const { wire, socket } = wired();
    expect(await wire.talkOpen({ device_id: 'AAAAAAAAAA' })).toEqual({ ok: false, reason: 'offline' });
    expect(socket.emitted).toEqual([]);
    socket.say('connect');
    expect(await wire.talkOpen({ device_id: 'AAAAAAAAAA' })).toEqual({ ok: true });
    socket.answer = { ok: false, reason: 'not_attached' };
    expect(await wire.talkOpen({ device_id: 'AAAAAAAAAA' })).toEqual({ ok: false, reason: 'not_attached' });
    socket.answer = undefined;
    expect(await wire.talkOpen({ device_id: 'AAAAAAAAAA' })).toEqual({ ok: false, reason: 'timeout' });
  });

  it('keeps no acknowledgement for a later connection', () => {
    const { wire, socket } = wired();
    wire.talkDone(1);
    socket.say('connect');
    wire.talkDone(2);
    socket.say('disconnect');
    wire.talkDone(3);
    expect(socket.emitted).toEqual([['talkDone', 2]]);
  });

  it('is offline without a socket, and on the next one after a sign-in', () => {
    const { wire, socket, unbind, said } = wired();
    socket.say('connect');
    unbind();
    expect(wire.connected()).toBe(false);
    expect(said).toEqual(['connected', 'disconnected']);
    const next = new FakeSocket();
    wire.bind(next as unknown as RealSocket);
    unbind();
    next.say('connect');
    next.say('talk', { upto: 9 });
    expect(wire.connected()).toBe(true);
    expect(said.slice(2)).toEqual(['connected', 'talk 9']);
  });

  it('listens no more when it is told so', () => {
    const { wire, socket } = wired();
    const heard: number[] = [];
    const stop = wire.on('talk', ({ upto }) => heard.push(upto));
    socket.say('talk', { upto: 1 });
    stop();
    socket.say('talk', { upto: 2 });
    expect(heard).toEqual([1]);
  });
});
