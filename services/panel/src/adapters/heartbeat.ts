/** Tells core how this service is, so that the health page and the supervisor of the box know. */
import { internalPaths, type InternalHeartbeat } from '@siphera/contract';
import type { InternalClient } from '@siphera/runtime';

export const heartbeatMs = 5_000;
/** Messages waiting for core above which the service calls itself degraded. */
const outboxDegraded = 1_000;

export type Health = {
  storing: boolean;
  coreReachable: boolean;
  outboxMessages: number;
  supervisionLost: number;
  connections: number;
};

export function heartbeatOf(health: Health, version: string, rssBytes: number): InternalHeartbeat {
  const core = health.coreReachable ? 'ok' : 'degraded';
  const outbox = health.outboxMessages > outboxDegraded ? 'degraded' : 'ok';
  const store = health.storing ? 'ok' : 'degraded';
  return {
    service: 'panel',
    state: core === 'ok' && outbox === 'ok' && store === 'ok' ? 'ok' : 'degraded',
    version,
    rss_bytes: rssBytes,
    checks: [
      { name: 'core', state: core, detail: health.coreReachable ? 'takes events' : 'does not take events' },
      { name: 'outbox', state: outbox, detail: `${health.outboxMessages} messages wait for core` },
      {
        name: 'supervision',
        state: health.supervisionLost === 0 ? 'ok' : 'degraded',
        detail: `${health.supervisionLost} panels are silent`,
      },
      {
        name: 'store',
        state: store,
        detail: health.storing ? 'takes frames' : 'cannot be written: is the disk full?',
      },
      { name: 'receiver', state: 'ok', detail: `${health.connections} connections` },
    ],
  };
}

/** @throws AppError when core does not answer; core counts missing heartbeats by itself. */
export const sendHeartbeat = async (client: InternalClient, heartbeat: InternalHeartbeat): Promise<void> => {
  await client.call('POST', internalPaths.heartbeat, heartbeat);
};
