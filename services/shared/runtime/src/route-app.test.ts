import { Readable } from 'node:stream';
import { request } from 'node:http';
import type { AccessClaims, Permission, Route } from '@siphera/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { AppError } from './app-error.ts';
import { systemClock } from './clock.ts';
import { startListener, type Listener } from './listen.ts';
import { createLogger } from './log.ts';
import { createMetrics } from './metrics.ts';
import { systemRandom } from './random.ts';
import { createRouteApp, type Call } from './route-app.ts';

const base = { service: 'core', tag: 'test', summary: 'x' } as const;
const routes = {
  getThing: {
    ...base,
    method: 'get',
    path: '/things/{id}',
    access: 'event.read',
    params: z.object({ id: z.string().max(8) }),
    query: z.object({ n: z.coerce.number().int().optional() }),
    response: z.object({ id: z.string(), n: z.number().optional() }),
  },
  getFixed: {
    ...base,
    method: 'get',
    path: '/things/fixed',
    access: 'public',
    response: z.object({ fixed: z.boolean() }),
  },
  addThing: {
    ...base,
    method: 'post',
    path: '/things',
    access: 'event.write',
    body: z.object({ name: z.string().max(20) }),
    bodyBytesMax: 200,
    response: z.object({ name: z.string(), key: z.string() }),
    status: 201,
    idempotent: true,
  },
  dropThing: {
    ...base,
    method: 'delete',
    path: '/things/{id}',
    access: 'signed_in',
    params: z.object({ id: z.string() }),
  },
  putFile: {
    ...base,
    method: 'put',
    path: '/file',
    access: 'signed_in',
    upload: { mediaTypes: ['image/png'], bytesMax: 100 },
    response: z.object({ name: z.string(), bytes: z.number() }),
  },
  getFile: { ...base, method: 'get', path: '/file', access: 'public', download: 'text/html' },
  fail: { ...base, method: 'get', path: '/fail', access: 'public', response: z.object({}) },
  busy: { ...base, method: 'get', path: '/busy', access: 'public', response: z.object({}) },
} satisfies Record<string, Route>;

const claimsOf = (permissions: Permission[]): AccessClaims => ({
  iss: 'siphera',
  aud: 'siphera-box',
  sub: '01a201d0-0000-7000-8000-000000000001',
  sid: '01a201d0-0000-7000-8000-000000000002',
  kind: 'user',
  org: '01a201d0-0000-7000-8000-000000000003',
  name: 'Ada',
  grants: [{ permissions, scope: 'org:01a201d0-0000-7000-8000-000000000003' }],
  iat: 0,
  exp: 1,
});
const tokens: Record<string, AccessClaims> = {
  reader: claimsOf(['event.read']),
  writer: claimsOf(['event.write']),
};

const logLines: string[] = [];
/** Names of the handlers that were reached. */
let reached: string[] = [];
let lastCall: Pick<Call<Route>, 'traceId' | 'idempotencyKey' | 'address'> | undefined;
let listener: Listener;

const note = (name: string, call: unknown): void => {
  reached.push(name);
  lastCall = call as Pick<Call<Route>, 'traceId' | 'idempotencyKey' | 'address'>;
};

beforeAll(async () => {
  const app = createRouteApp({
    routes,
    handlers: {
      getThing: async (call) => {
        note('getThing', call);
        return Promise.resolve({ id: call.params.id, n: call.query.n, password_hash: 'S3CRET' });
      },
      getFixed: async () => Promise.resolve({ fixed: true }),
      addThing: async (call) => {
        note('addThing', call);
        return Promise.resolve({ name: call.body.name, key: call.idempotencyKey ?? 'none' });
      },
      dropThing: (call) => {
        note('dropThing', call);
        return Promise.resolve();
      },
      putFile: async (call) => {
        note('putFile', call);
        return Promise.resolve({ name: call.upload?.name ?? '', bytes: call.upload?.bytes.length ?? 0 });
      },
      getFile: async () =>
        Promise.resolve({
          mediaType: 'text/html',
          body: Readable.from(['<b>x</b>']),
          fileName: 'a "ü".html',
        }),
      fail: (): Promise<Record<string, never>> =>
        Promise.reject(new Error('the database password is S3CRET')),
      busy: (): Promise<Record<string, never>> => Promise.reject(new AppError('overloaded', 'Later.')),
    },
    authenticate: (bearer) => {
      const claims = tokens[bearer];
      return claims
        ? Promise.resolve({ claims })
        : Promise.reject(new AppError('unauthenticated', 'Bad token.'));
    },
    log: createLogger({ service: 'test', destination: { write: (line) => void logLines.push(line) } }),
    metrics: createMetrics('test'),
    clock: systemClock,
    random: systemRandom,
  });
  listener = await startListener('127.0.0.1:0', app);
});
afterAll(() => listener.close());
beforeEach(() => {
  reached = [];
});

type Answer = {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  json: Record<string, unknown>;
};
type Ask = { token?: string; headers?: Record<string, string>; body?: string | Buffer };

function ask(method: string, path: string, { token, headers = {}, body }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        port: listener.port,
        host: '127.0.0.1',
        method,
        path: `/api/v1${path}`,
        headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
      },
      (response) => {
        let text = '';
        response.on('data', (part: Buffer) => (text += part.toString()));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            json: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {},
          }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
const json = { 'content-type': 'application/json' };

describe('who may call', () => {
  it('is asked before anything of the request is read', async () => {
    const nonsense = { headers: json, body: '{not json' };
    expect((await ask('POST', '/things', nonsense)).status).toBe(401);
    expect((await ask('POST', '/things', { ...nonsense, token: 'forged' })).status).toBe(401);
    expect((await ask('POST', '/things', { ...nonsense, token: 'reader' })).status).toBe(403);
    expect((await ask('POST', '/things', { ...nonsense, token: 'writer' })).status).toBe(400);
    expect((await ask('GET', '/things/much-too-long', { token: 'writer' })).status).toBe(403);
    expect(reached).toEqual([]);
  });

  it('may not send a body that is nested without end', async () => {
    const body = `{"name":${'['.repeat(90)}${']'.repeat(90)}}`;
    const answer = await ask('POST', '/things', { token: 'writer', headers: json, body });
    expect([answer.status, answer.json['code']]).toEqual([400, 'malformed_body']);
    expect(answer.text).toContain('nested');
  });

  it('does not matter on a public route, whatever the token', async () => {
    expect((await ask('GET', '/things/fixed', { token: 'forged' })).json).toEqual({ fixed: true });
  });

  it('refuses to start with a route that nobody answers', () => {
    expect(() =>
      createRouteApp({
        routes,
        handlers: {} as never,
        authenticate: () => Promise.reject(new Error('unused')),
        log: createLogger({ service: 'test', destination: { write: () => undefined } }),
        metrics: createMetrics('other'),
        clock: systemClock,
        random: systemRandom,
      }),
    ).toThrow(/has no handler/);
  });
});

describe('what comes in', () => {
  it('is validated, and a refusal names each field', async () => {
    const answer = await ask('POST', '/things', { token: 'writer', headers: json, body: '{"name":7}' });
    expect(answer.status).toBe(400);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json).toMatchObject({
      code: 'validation_failed',
      status: 400,
      errors: [{ path: 'body.name', message: expect.any(String) as string }],
      trace_id: answer.headers['x-trace-id'],
    });
    const query = await ask('GET', '/things/a?n=x', { token: 'reader' });
    expect(query.json['errors']).toMatchObject([{ path: 'query.n' }]);
    expect(reached).toEqual([]);
  });

  it.each([
    ['a body over the bound of its route', 413, json, JSON.stringify({ name: 'x'.repeat(300) })],
    ['a body that is no JSON', 400, json, '{"name":'],
    ['a bare value', 400, json, '"x"'],
    ['another media type', 415, { 'content-type': 'text/plain' }, '{"name":"x"}'],
    ['a body without a media type', 415, {}, '{"name":"x"}'],
    ['a charset nobody uses', 400, { 'content-type': 'application/json; charset=x-mac' }, '{"name":"x"}'],
    ['no body', 400, json, ''],
  ])('is refused: %s', async (_name, status, headers, body) => {
    const answer = await ask('POST', '/things', { token: 'writer', headers, body });
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.json['code']).toMatch(/./);
    expect(reached).toEqual([]);
  });

  it('is refused as too large also when its length is not said', async () => {
    const body = JSON.stringify({ name: 'x'.repeat(100_000) });
    const answer = await ask('POST', '/things', {
      token: 'writer',
      headers: { ...json, 'transfer-encoding': 'chunked' },
      body,
    });
    expect(answer.status).toBe(413);
  });

  it('may be a file of the listed kinds, bounded, its name a label only', async () => {
    const png = { token: 'reader', body: Buffer.from('abc') };
    const name = { 'content-type': 'image/png', 'x-file-name': encodeURIComponent('../../etc/\u0000passwd') };
    expect((await ask('PUT', '/file', { ...png, headers: name })).json).toEqual({
      name: '.._.._etc__passwd',
      bytes: 3,
    });
    expect((await ask('PUT', '/file', { ...png, headers: { 'content-type': 'text/html' } })).status).toBe(
      415,
    );
    expect(
      (
        await ask('PUT', '/file', {
          ...png,
          headers: { 'content-type': 'image/png' },
          body: Buffer.alloc(101),
        })
      ).status,
    ).toBe(413);
    expect(
      (await ask('PUT', '/file', { token: 'reader', headers: { 'content-type': 'image/png' } })).status,
    ).toBe(400);
  });

  it('finds the fixed path before the one with a parameter', async () => {
    expect((await ask('GET', '/things/fixed')).json).toEqual({ fixed: true });
  });

  it('may carry an idempotency key of sane letters, where the route takes one', async () => {
    const body = { token: 'writer', body: '{"name":"x"}' };
    const kept = await ask('POST', '/things', {
      ...body,
      headers: { ...json, 'idempotency-key': 'a.b:c-1' },
    });
    expect(kept.json['key']).toBe('a.b:c-1');
    const bad = await ask('POST', '/things', { ...body, headers: { ...json, 'idempotency-key': 'a b' } });
    expect(bad.status).toBe(400);
    await ask('DELETE', '/things/a', { token: 'reader', headers: { 'idempotency-key': 'ignored here' } });
    expect(lastCall?.idempotencyKey).toBeUndefined();
  });

  it('carries its trace on, and starts one where it has none or a broken one', async () => {
    const trace = '0af7651916cd43dd8448eb211c80319c';
    const told = await ask('GET', '/things/a', {
      token: 'reader',
      headers: { traceparent: `00-${trace}-b7ad6b7169203331-01` },
    });
    expect(told.headers['x-trace-id']).toBe(trace);
    expect(lastCall?.traceId).toBe(trace);
    const broken = await ask('GET', '/things/a', {
      token: 'reader',
      headers: { traceparent: `00-${trace}` },
    });
    expect(broken.headers['x-trace-id']).toMatch(/^[0-9a-f]{32}$/);
    expect(broken.headers['x-trace-id']).not.toBe(trace);
  });
});

describe('what goes out', () => {
  it('holds the fields of the contract alone, and is kept by no cache', async () => {
    const answer = await ask('GET', '/things/a?n=3', { token: 'reader' });
    expect(answer.json).toEqual({ id: 'a', n: 3 });
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers['x-powered-by']).toBeUndefined();
  });

  it('has the status of its route', async () => {
    const added = await ask('POST', '/things', { token: 'writer', headers: json, body: '{"name":"x"}' });
    expect(added.status).toBe(201);
    const dropped = await ask('DELETE', '/things/a', { token: 'reader' });
    expect([dropped.status, dropped.text]).toEqual([204, '']);
  });

  it('tells nothing of an unexpected failure but where to look', async () => {
    const answer = await ask('GET', '/fail');
    expect(answer.status).toBe(500);
    expect(answer.text).not.toContain('S3CRET');
    expect(answer.json).toMatchObject({ code: 'internal', trace_id: answer.headers['x-trace-id'] });
    expect(logLines.join()).toContain('request_failed');
    expect(logLines.join()).toContain(String(answer.headers['x-trace-id']));
  });

  it('says when to come back', async () => {
    const answer = await ask('GET', '/busy');
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
  });

  it('lets a browser run nothing of what was uploaded', async () => {
    const answer = await ask('GET', '/file');
    expect(answer.text).toBe('<b>x</b>');
    expect(answer.headers['content-security-policy']).toContain('sandbox');
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expect(answer.headers['content-disposition']).toBe(`attachment; filename*=UTF-8''a%20%22%C3%BC%22.html`);
  });
});

describe('addresses', () => {
  it.each([
    ['GET', '/nothing'],
    ['POST', '/things/a'],
    ['PATCH', '/things'],
    ['GET', '/things/a/b'],
  ])('that do not exist are a problem, too: %s %s', async (method, path) => {
    const answer = await ask(method, path, { token: 'reader' });
    expect(answer.status).toBe(404);
    expect(answer.json).toMatchObject({
      code: 'not_found',
      hint: expect.stringContaining('openapi') as string,
    });
    expect(reached).toEqual([]);
  });

  it('with broken escapes are refused, not failed on', async () => {
    const answer = await ask('GET', '/things/%E0%A4%A', { token: 'reader' });
    expect(answer.status).toBe(400);
    expect(answer.headers['content-type']).toContain('application/problem+json');
  });

  it('answer HEAD as GET without the body, and ask for the permission all the same', async () => {
    const answer = await ask('HEAD', '/things/a', { token: 'reader' });
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect((await ask('HEAD', '/things/a')).status).toBe(401);
    expect((await ask('HEAD', '/file')).status).toBe(200);
  });
});
