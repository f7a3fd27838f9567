/** Tells core every five seconds how this service is. */
import { internalPaths, type InternalHeartbeat } from '@siphera/contract';
import type { InternalClient, Logger } from '@siphera/runtime';

/** Core shows a service as down after 15 s of silence: three missed beats. */
const beatMs = 5_000;

export function startHeartbeat(options: {
  client: InternalClient;
  log: Logger;
  describe: () => InternalHeartbeat;
}): { stop: () => void } {
  const { client, log, describe } = options;
  let reported = false;
  const beat = async (): Promise<void> => {
    try {
      await client.call('POST', internalPaths.heartbeat, describe());
      reported = false;
    } catch (error) {
      if (!reported) log.warn('heartbeat_failed', { error });
      reported = true;
    }
  };
  void beat();
  const timer = setInterval(() => void beat(), beatMs);
  return { stop: () => clearInterval(timer) };
}
