/** Certificates from the product's own CA, and a box's front door as far as the set-up looks at it. */
import { createServer, type Server } from 'node:https';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  createTestCa,
  freePort,
  tempDir,
  type CertificateFiles,
  type TempDir,
  type TestCa,
} from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probeBox } from './probe.main.ts';
import type { Trust } from './settings.shared.ts';
import { judgeCertificate, type Verdict } from './trust.shared.ts';

const host = 'box.example';
const nowMs = Date.now();
const yearMs = 365 * 24 * 3_600_000;

let dir: TempDir;
let own: TestCa;
let foreign: TestCa;
let front: CertificateFiles;
let foreignFront: CertificateFiles;
let agent: CertificateFiles;

beforeAll(async () => {
  dir = await tempDir('desk');
  own = await createTestCa(`${dir.path}/own`);
  foreign = await createTestCa(`${dir.path}/foreign`);
  front = await own.issueServer('front', 'front', [host, '127.0.0.1']);
  foreignFront = await foreign.issueServer('front', 'front', [host, '127.0.0.1']);
  agent = await own.issueClient('0190aaaa-0000-7000-8000-000000000001');
});
afterAll(async () => {
  await dir.remove();
});

const pem = (file: string): string => readFileSync(file, 'utf8');
const pinned = (ca: TestCa): Extract<Trust, { kind: 'pinned' }> => ({
  kind: 'pinned',
  ca_pem: ca.caPem,
  fingerprint: new X509Certificate(ca.caPem).fingerprint256,
});

describe('with a pinned CA a certificate', () => {
  const judge = (chain: string[], more: { hostname?: string; trust?: Trust; at?: number } = {}): Verdict =>
    judgeCertificate({
      hostname: more.hostname ?? host,
      chain,
      box: { origin: `https://${host}`, trust: more.trust ?? pinned(own) },
      nowMs: more.at ?? nowMs,
    });

  it('of the box is accepted, with or without the CA in its chain', () => {
    expect(judge([pem(front.certFile)])).toBe('accept');
    expect(judge([pem(front.certFile), own.caPem])).toBe('accept');
  });

  it('of another CA is rejected, also when it brings the right CA along', () => {
    expect(judge([pem(foreignFront.certFile)])).toBe('reject');
    expect(judge([pem(foreignFront.certFile), own.caPem])).toBe('reject');
    expect(judge([pem(foreignFront.certFile), foreign.caPem])).toBe('reject');
  });

  it('of the box is rejected for any other host', () => {
    expect(judge([pem(front.certFile)], { hostname: 'other.example' })).toBe('reject');
    expect(
      judgeCertificate({
        hostname: 'other.example',
        chain: [pem(front.certFile)],
        box: { origin: 'https://other.example', trust: pinned(own) },
        nowMs,
      }),
    ).toBe('reject');
  });

  it('of a device is rejected: it is no server', () => {
    expect(judge([pem(agent.certFile)])).toBe('reject');
  });

  it('that is the CA itself is rejected', () => {
    expect(judge([own.caPem])).toBe('reject');
  });

  it('is rejected outside its dates', () => {
    expect(judge([pem(front.certFile)], { at: nowMs + 50 * yearMs })).toBe('reject');
    expect(judge([pem(front.certFile)], { at: nowMs - yearMs })).toBe('reject');
  });

  it('is rejected when the settings name another fingerprint than their CA has', () => {
    const mixed: Trust = { ...pinned(own), fingerprint: new X509Certificate(foreign.caPem).fingerprint256 };
    expect(judge([pem(front.certFile)], { trust: mixed })).toBe('reject');
  });

  it.each([[[]], [['garbage']], [['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----']]])(
    'that is none is rejected: %j',
    (chain) => {
      expect(judge(chain)).toBe('reject');
    },
  );

  it('works for a box that is known by its address', () => {
    const box = { origin: 'https://127.0.0.1:8443', trust: pinned(own) };
    const chain = [pem(front.certFile)];
    expect(judgeCertificate({ hostname: '127.0.0.1', chain, box, nowMs })).toBe('accept');
    expect(judgeCertificate({ hostname: '127.0.0.2', chain, box, nowMs })).toBe('reject');
  });

  it("is left to Chromium when the box uses the admin's own, for the box's host alone", () => {
    expect(judge([pem(foreignFront.certFile)], { trust: { kind: 'system' } })).toBe('as_chromium_says');
    expect(judge([pem(foreignFront.certFile)], { trust: { kind: 'system' }, hostname: 'x.example' })).toBe(
      'reject',
    );
  });
});

describe('a look at an address', () => {
  const info = (ownCa: boolean): string =>
    JSON.stringify({
      own_ca: ownCa,
      host_name: host,
      urls: [`https://${host}`],
      fingerprint_sha256: 'AB',
      expires_at: '2036-01-01T00:00:00.000Z',
    });

  async function withBox<T>(
    files: CertificateFiles,
    answers: Record<string, string | Buffer>,
    use: (address: string) => Promise<T>,
  ): Promise<T> {
    const server: Server = createServer(
      { cert: pem(files.certFile), key: pem(files.keyFile) },
      (request, response) => {
        const body = answers[request.url ?? ''];
        response.writeHead(body === undefined ? 404 : 200).end(body ?? 'not found');
      },
    );
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    try {
      return await use(`127.0.0.1:${port}`);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  const ownAnswers = (): Record<string, string | Buffer> => ({
    '/api/v1/trust': info(true),
    '/api/v1/trust/ca.crt': new X509Certificate(own.caPem).raw,
  });

  it('finds the CA of a box, which is then what its certificate is accepted by', async () => {
    const probe = await withBox(front, ownAnswers(), (address) => probeBox(address, nowMs));
    expect(probe.result).toMatchObject({
      kind: 'own_ca',
      name: host,
      fingerprint: new X509Certificate(own.caPem).fingerprint256,
    });
    const trust: Trust = { ...pinned(own), ca_pem: probe.caPem ?? '' };
    const box = { origin: `https://${host}`, trust };
    expect(judgeCertificate({ hostname: host, chain: [pem(front.certFile)], box, nowMs })).toBe('accept');
  });

  it('warns when the server was not certified by the CA that it offers', async () => {
    const probe = await withBox(foreignFront, ownAnswers(), (address) => probeBox(address, nowMs));
    expect(probe).toEqual({ result: { kind: 'failed', reason: 'wrong_chain' }, caPem: undefined });
  });

  it("tells the admin's certificate from the box's own", async () => {
    const probe = await withBox(foreignFront, { '/api/v1/trust': info(false) }, (address) =>
      probeBox(address, nowMs),
    );
    expect(probe.result).toMatchObject({ kind: 'admin_certificate', name: host });
  });

  it.each([
    ['no box', {}, 'not_a_box'],
    ['a page', { '/api/v1/trust': '<html></html>' }, 'not_a_box'],
    ['an endless answer', { '/api/v1/trust': Buffer.alloc(1_000_000) }, 'unreachable'],
    ['a CA that is none', { '/api/v1/trust': info(true), '/api/v1/trust/ca.crt': 'x' }, 'unreachable'],
  ])('fails on %s', async (_name, answers, reason) => {
    const probe = await withBox(front, answers, (address) => probeBox(address, nowMs));
    expect(probe.result).toEqual({ kind: 'failed', reason });
  });

  it('fails on an address where nothing is, and on one that is none', async () => {
    expect((await probeBox(`127.0.0.1:${await freePort()}`, nowMs)).result).toEqual({
      kind: 'failed',
      reason: 'unreachable',
    });
    expect((await probeBox('http://box.example', nowMs)).result).toEqual({
      kind: 'failed',
      reason: 'bad_address',
    });
  });
});
