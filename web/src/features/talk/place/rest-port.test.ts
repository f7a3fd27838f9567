import { afterEach, describe, expect, it, vi } from 'vitest';
import { browserRest } from '#features/talk/place/rest-port.ts';

type Seen = { url: string; method: string | undefined; body: unknown };
const seen: Seen[] = [];

/** The box at the wire: answers everything alike. */
function box(reply: () => Response | Promise<Response>): void {
  seen.length = 0;
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    const body: unknown = init.body instanceof Blob ? await init.body.text() : init.body;
    seen.push({ url, method: init.method, body });
    return reply();
  });
}
const thrownBy = (run: Promise<unknown>): Promise<unknown> =>
  run.then(
    () => undefined,
    (error: unknown) => error,
  );
afterEach(() => vi.unstubAllGlobals());

describe('talk over REST', () => {
  it('calls a route by its name, with parameters, query and body', async () => {
    box(() => Response.json({ items: [], more: false }));
    const answer = await browserRest.call('listRoomEvents', { params: { id: 'r 1' }, query: { limit: '5' } });
    expect(answer).toEqual({ items: [], more: false });
    box(() => new Response(null, { status: 204 }));
    expect(await browserRest.call('readRoom', { params: { id: 'r' }, body: { seq: 4 } })).toBeUndefined();
    expect(seen).toEqual([{ url: '/api/v1/talk/rooms/r/read', method: 'POST', body: '{"seq":4}' }]);
  });

  it('sends and fetches files as bytes', async () => {
    box(() => Response.json({ id: 'f', bytes: 3, expires_at: '2026-11-28T10:00:00Z' }, { status: 201 }));
    await browserRest.upload({ room_id: 'r' }, new TextEncoder().encode('abc'));
    expect(seen[0]).toEqual({ url: '/api/v1/talk/files?room_id=r', method: 'POST', body: 'abc' });
    box(() => new Response(Uint8Array.of(0, 255, 7)));
    expect(Array.from(await browserRest.download('f'))).toEqual([0, 255, 7]);
  });

  it('tells a refusal by its code and status, and which devices it is about', async () => {
    const problem = { code: 'conflict', status: 409, title: 'changed', missing: { u: ['A'] }, gone: {} };
    box(() => Response.json(problem, { status: 409 }));
    expect(await thrownBy(browserRest.call('sendDirect', { body: {} }))).toMatchObject({
      code: 'conflict',
      status: 409,
      missing: { u: ['A'] },
      gone: {},
    });
  });

  it('tells a box that is not reached by status 0', async () => {
    box(() => Promise.reject(new TypeError('no route')));
    for (const run of [browserRest.call('getTurn'), browserRest.download('f')])
      expect(await thrownBy(run)).toMatchObject({ code: 'network', status: 0 });
  });
});
