import { createPinia, setActivePinia } from 'pinia';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { api } from '#api/client.ts';
import { useSession, type SignedIn } from './session.store.ts';

const user = { id: 'u', org_id: 'o', name: 'Mara', email: 'm@x.example', active: true, locale: 'en' };
const answer = (token: string, permission = 'incident.act'): SignedIn =>
  ({
    access_token: token,
    expires_in: 300,
    me: {
      user: { ...user, created_at: '', groups: [], roles: [] },
      session_id: 's',
      org: { id: 'o', name: 'Org' },
      permissions: [{ permission, scope: 'area:dock' }],
    },
  }) as unknown as SignedIn;

type Call = { path: string; authorization: string | null };
type Reply = { status: number; body: unknown };

/** The box at the wire: each path answers from its queue, the last one again and again. */
function fakeBox(replies: Record<string, Reply[]>): Call[] {
  const calls: Call[] = [];
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    const path = url.replace('/api/v1', '');
    calls.push({ path, authorization: new Headers(init.headers).get('authorization') });
    const queue = replies[path] ?? [];
    const reply = queue.length > 1 ? queue.shift() : queue[0];
    if (!reply) return Promise.reject(new TypeError('no route to the box'));
    return Promise.resolve(new Response(JSON.stringify(reply.body), { status: reply.status }));
  });
  return calls;
}
const ok = (body: unknown): Reply => ({ status: 200, body });
const refused = (status: number, code: string): Reply => ({ status, body: { status, code, title: code } });

/** Browsers' channel between tabs, within this process: a message reaches every other channel of its name. */
class FakeChannel extends EventTarget {
  static open: FakeChannel[] = [];
  readonly name: string;
  constructor(name: string) {
    super();
    this.name = name;
    FakeChannel.open.push(this);
  }
  postMessage(data: unknown): void {
    for (const other of FakeChannel.open) {
      if (other !== this && other.name === this.name)
        other.dispatchEvent(new MessageEvent('message', { data }));
    }
  }
}

/** Browsers' locks over tabs: one holder at a time, in the order of asking. */
function fakeLocks() {
  let tail: Promise<unknown> = Promise.resolve();
  let held: { name: string }[] = [];
  return {
    query: () => Promise.resolve({ held }),
    request: <R>(name: string, run: () => Promise<R>): Promise<R> => {
      const turn = tail.then(async () => {
        held = [{ name }];
        return run().finally(() => {
          held = [];
        });
      });
      tail = turn.catch(() => undefined);
      return turn;
    },
  };
}

describe('the session', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    FakeChannel.open = [];
    vi.stubGlobal('BroadcastChannel', FakeChannel);
    localStorage.clear();
    setActivePinia(createPinia());
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('asks the box for nothing when nobody was signed in here', async () => {
    const calls = fakeBox({});
    const session = useSession();
    await session.restore();
    expect(session.state).toBe('signed_out');
    expect(calls).toEqual([]);
  });

  it('comes back after a reload by the cookie', async () => {
    localStorage.setItem('siphera_signed_in', '1');
    fakeBox({ '/auth/refresh': [ok(answer('one'))] });
    const session = useSession();
    await session.restore();
    expect(session.state).toBe('signed_in');
    expect(session.token()).toBe('one');
  });

  it('is not over because the box is away', async () => {
    localStorage.setItem('siphera_signed_in', '1');
    fakeBox({});
    const session = useSession();
    await expect(session.restore()).rejects.toThrow('cannot be reached');
    expect(session.state).toBe('unknown');
  });

  it('renews the token a minute before its end, and keeps trying while the box is away', async () => {
    const calls = fakeBox({ '/auth/refresh': [{ status: 502, body: {} }, ok(answer('two'))] });
    const session = useSession();
    session.signIn(answer('one'));
    await vi.advanceTimersByTimeAsync(239_000);
    expect(calls).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(calls).toHaveLength(1);
    expect(session.token()).toBe('one');
    await vi.advanceTimersByTimeAsync(6_000);
    expect(session.token()).toBe('two');
  });

  it('shares one refresh with the other tabs of the browser', async () => {
    Object.defineProperty(navigator, 'locks', { value: fakeLocks(), configurable: true });
    const calls = fakeBox({ '/auth/refresh': [ok(answer('two')), ok(answer('three'))] });
    const first = useSession();
    setActivePinia(createPinia());
    const second = useSession();
    first.signIn(answer('one'));
    expect(second.token()).toBe('one');
    await vi.advanceTimersByTimeAsync(245_000);
    expect(calls).toHaveLength(1);
    expect([first.token(), second.token()]).toEqual(['two', 'two']);
    Reflect.deleteProperty(navigator, 'locks');
  });

  it('signs every tab out together', async () => {
    fakeBox({ '/auth/logout': [ok({})] });
    const first = useSession();
    setActivePinia(createPinia());
    const second = useSession();
    first.signIn(answer('one'));
    await first.logout();
    expect([first.state, second.state]).toEqual(['signed_out', 'signed_out']);
  });

  it('repeats a call once with a fresh token when the old one was refused', async () => {
    const calls = fakeBox({
      '/sites': [refused(401, 'unauthenticated'), ok({ items: [], feed_seq: 1 })],
      '/auth/refresh': [ok(answer('two'))],
    });
    useSession().signIn(answer('one'));
    await api('listSites');
    expect(calls.map((call) => [call.path, call.authorization])).toEqual([
      ['/sites', 'Bearer one'],
      ['/auth/refresh', 'Bearer one'],
      ['/sites', 'Bearer two'],
    ]);
  });

  it('ends when the box refuses the refresh', async () => {
    fakeBox({
      '/sites': [refused(401, 'unauthenticated')],
      '/auth/refresh': [refused(401, 'session_expired')],
    });
    const session = useSession();
    session.signIn(answer('one'));
    await expect(api('listSites')).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(session.state).toBe('signed_out');
    expect(session.endedBy).toBe('expired');
    expect(session.token()).toBeUndefined();
  });

  it('keeps no token in storage', () => {
    useSession().signIn(answer('very-secret-token'));
    expect(JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)])).not.toContain(
      'very-secret-token',
    );
  });

  it('knows what the user may do, and where', () => {
    const session = useSession();
    session.signIn(answer('one', 'device.command'));
    expect(session.may('device.command')).toBe(true);
    expect(session.may('device.command', ['org:o', 'area:dock'])).toBe(true);
    expect(session.may('device.command', ['area:lobby'])).toBe(false);
    expect(session.may('incident.act')).toBe(false);
  });
});
