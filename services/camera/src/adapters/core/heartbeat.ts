/** Tells core how this service is, so that the health page and the supervisor of the box know. */
import { internalPaths, type InternalHeartbeat } from '@siphera/contract';
import type { InternalClient } from '@siphera/runtime';

export const heartbeatMs = 5_000;
/** Rows waiting for core above which the service calls itself degraded. */
const outboxDegraded = 1_000;

export function heartbeatOf(options: {
  coreReachable: boolean;
  outboxWaiting: number;
  version: string;
  rssBytes: number;
  checks: InternalHeartbeat['checks'];
}): InternalHeartbeat {
  const { coreReachable, outboxWaiting, version, rssBytes } = options;
  const checks: InternalHeartbeat['checks'] = [
    {
      name: 'core',
      state: coreReachable ? 'ok' : 'degraded',
      detail: coreReachable ? 'takes events' : 'does not take events',
    },
    {
      name: 'outbox',
      state: outboxWaiting > outboxDegraded ? 'degraded' : 'ok',
      detail: `${outboxWaiting} wait for core`,
    },
    ...options.checks,
  ];
  const state = checks.every((check) => check.state === 'ok') ? 'ok' : 'degraded';
  return { service: 'camera', state, version, rss_bytes: rssBytes, checks };
}

/** @throws AppError when core does not answer; core counts missing heartbeats by itself. */
export const sendHeartbeat = async (client: InternalClient, heartbeat: InternalHeartbeat): Promise<void> => {
  await client.call('POST', internalPaths.heartbeat, heartbeat);
};
