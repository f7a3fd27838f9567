/** Health, settings, trust and the API's own description, on a running core. */
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { internalPaths } from '@siphera/contract';
import { call, callRaw, createTestCa } from '@siphera/testkit';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setUp, type Person } from '../testing/people.ts';
import { jsonOf, startTestCore, type TestCore } from '../testing/test-core.ts';

let core: TestCore;
let admin: Person;
beforeEach(async () => {
  core = await startTestCore();
  admin = await setUp(core);
});
afterEach(async () => {
  await core[Symbol.asyncDispose]();
});

const health = () => call(core, 'getSystemHealth', { token: admin.token });
const beat = (service: string, state = 'ok') =>
  core.internal(internalPaths.heartbeat, { service, state, version: '0.1.0', rss_bytes: 1_000, checks: [] });

describe('health', () => {
  it('shows a service as down once it is silent for more than 15 seconds', async () => {
    expect((await beat('panel')).status).toBe(204);
    await beat('signaling');
    const stateOf = async (name: string) =>
      (await health()).services.find((service) => service.service === name)?.state;
    expect(await stateOf('panel')).toBe('ok');
    core.clock.advance(15_000);
    expect(await stateOf('panel')).toBe('ok');
    core.clock.advance(1);
    expect(await stateOf('panel')).toBe('down');
    expect((await health()).state).toBe('degraded');
    await beat('panel', 'degraded');
    expect(await stateOf('panel')).toBe('degraded');
  });

  it('says that it can store nothing, to everybody', async () => {
    const figures = { per_second: 0, committed: 0, duplicates: 0, dead_letters: 0, queue: 0 };
    core.app.status.update({ kind: 'figures', ingest: figures, failure: 'SQLITE_FULL', broker: 'connected' });
    expect(await call(core, 'getHealth')).toEqual({ state: 'down' });
    const { state, services } = await health();
    expect(state).toBe('down');
    expect(services[0]?.checks.find((check) => check.name === 'database')?.detail).toContain('SQLITE_FULL');
  });

  it('knows the disk, the certificate and that there is no broker', async () => {
    const { disk, certificate, services, version } = await health();
    expect(disk.free_bytes).toBeGreaterThan(0);
    expect(disk.total_bytes).toBeGreaterThan(disk.free_bytes);
    expect(certificate).toMatchObject({ own_ca: true });
    expect(services[0]).toMatchObject({ service: 'core', version });
    expect(services[0]?.checks.find((check) => check.name === 'broker')?.state).toBe('down');
  });
});

describe('settings', () => {
  it('keep the name of the org and the ranges that webhooks may call', async () => {
    const { token } = admin;
    const saved = await call(core, 'patchSettings', {
      token,
      body: { org_name: 'Harbour AG', outbound_allow: ['192.168.10.7/24', '192.168.10.0/24'] },
    });
    expect(saved).toEqual({
      org_name: 'Harbour AG',
      box_name: 'siphera.test',
      host_names: ['siphera.test', '192.168.1.20'],
      outbound_allow: ['192.168.10.0/24'],
      transcript_required: false,
    });
    expect(await call(core, 'getSettings', { token })).toEqual(saved);
    const refused = await callRaw(core, 'patchSettings', {
      token,
      body: { outbound_allow: ['127.0.0.0/8'] },
    });
    expect(refused.status).toBe(400);
    expect(jsonOf<{ errors: { path: string }[] }>(refused).errors[0]?.path).toBe('body.outbound_allow.0');
    expect(await call(core, 'getSettings', { token })).toEqual(saved);
  });
});

describe('trust', () => {
  it('offers the CA that signed the front door, as a certificate and as a profile', async () => {
    const trust = await call(core, 'getTrust');
    const ca = new X509Certificate(await call(core, 'getCaCertificate'));
    expect(trust).toMatchObject({ own_ca: true, host_name: 'siphera.test' });
    expect(trust.urls).toEqual(['https://siphera.test', 'https://192.168.1.20']);
    expect(ca.fingerprint256).toBe(trust.fingerprint_sha256);
    const profile = await callRaw(core, 'getCaProfile');
    expect(profile.headers['content-type']).toBe('application/x-apple-aspen-config');
    expect(profile.body.toString().replaceAll(/\s/g, '')).toContain(ca.raw.toString('base64'));
  });

  it('offers nothing to trust when an admin brought a certificate', async () => {
    const other = await createTestCa(join(core.dir, 'other'));
    const { certFile } = await other.issueServer('front', 'front', ['siphera.test']);
    const { FRONT_CERT_FILE = '' } = core.app.config;
    writeFileSync(FRONT_CERT_FILE, readFileSync(certFile));
    expect(await call(core, 'getTrust')).toMatchObject({ own_ca: false });
    expect((await callRaw(core, 'getCaCertificate')).status).toBe(404);
  });
});

describe('the API description', () => {
  it('names every route', async () => {
    const description = (await call(core, 'getOpenApi')) as {
      openapi: string;
      paths: Record<string, unknown>;
    };
    expect(description.openapi).toBe('3.1.0');
    expect(Object.keys(description.paths)).toContain('/incidents/{id}/acknowledge');
  });
});
