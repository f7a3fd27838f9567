/** Measures every part of the box for the health page. */
import { statfs } from 'node:fs/promises';
import type { SystemHealth } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime';
import type { z } from 'zod';
import type { AppDeps } from '../../app-deps.ts';
import type { HeardService } from '../../kernel/status.ts';
import { frontCertificate } from '../adapters/certificates.ts';
import { productVersion } from '../adapters/product.ts';
import {
  brokerCheck,
  certificateCheck,
  clockCheck,
  diskCheck,
  silentMsMax,
  storageCheck,
  worstOf,
} from '../domain/health.ts';

type Health = z.input<typeof SystemHealth>;
type Service = Health['services'][number];

/** Without these the box is not whole; with cameras, nor without their service. Others are shown once they were heard. */
const expected = ['panel', 'signaling'] as const;

export async function measureHealth(
  app: AppDeps,
  database: { bytes: number; newestCommitMs: number; hasCameras: boolean },
): Promise<Health> {
  const nowMs = app.clock.now();
  const disk = await readDisk(app.config.DATA_DIR);
  const certificate = frontCertificate(app.config);
  const checks = [
    storageCheck(app.status.failure(), database.bytes),
    brokerCheck(app.status.broker()),
    diskCheck(disk),
    clockCheck(nowMs, database.newestCommitMs),
    ...(app.config.FRONT_CERT_FILE === undefined ? [] : [certificateCheck(certificate, nowMs)]),
  ];
  const core: Service = {
    service: 'core',
    state: stateOfCore(checks),
    version: productVersion,
    rss_bytes: process.memoryUsage.rss(),
    last_heard_at: toRfc3339(nowMs),
    checks,
  };
  const heard = app.status.services();
  const services = [
    core,
    ...heard.map((service) => heardService(service, nowMs)),
    ...[...expected, ...(database.hasCameras ? ['camera'] : [])]
      .filter((name) => !heard.some((service) => service.service === name))
      .map(silentService),
  ];
  const worst = worstOf(services.map((service) => service.state));
  return {
    // The box is down only when core is; another part that is down leaves it degraded.
    state: core.state === 'down' ? 'down' : worst === 'down' ? 'degraded' : worst,
    now: toRfc3339(nowMs),
    started_at: toRfc3339(app.status.startedMs),
    version: productVersion,
    services,
    disk,
    ingest: app.status.ingest(),
    certificate: certificate
      ? {
          subject: certificate.subject,
          expires_at: toRfc3339(certificate.expiresMs),
          own_ca: certificate.ownCa,
        }
      : null,
  };
}

/** Core is down when it can store nothing; without a broker or with a full disk ahead the rest of it works on. */
function stateOfCore(checks: Service['checks']): Service['state'] {
  const worst = worstOf(checks.map((check) => check.state));
  const stores = checks.every((check) => check.name !== 'database' || check.state !== 'down');
  return worst === 'down' && stores ? 'degraded' : worst;
}

function heardService(heard: HeardService, nowMs: number): Service {
  const { heard_ms, ...service } = heard;
  const silentMs = nowMs - heard_ms;
  return {
    ...service,
    state: silentMs > silentMsMax ? 'down' : service.state,
    last_heard_at: toRfc3339(heard_ms),
    checks:
      silentMs > silentMsMax
        ? [{ name: 'heartbeat', state: 'down', detail: `Silent for ${Math.round(silentMs / 1_000)} s` }]
        : service.checks,
  };
}

const silentService = (service: string): Service => ({
  service,
  state: 'down',
  version: '',
  rss_bytes: 0,
  checks: [{ name: 'heartbeat', state: 'down', detail: 'Not heard since core started' }],
});

async function readDisk(path: string): Promise<Health['disk']> {
  const { bsize, bavail, blocks } = await statfs(path);
  return { free_bytes: bsize * bavail, total_bytes: bsize * blocks };
}
