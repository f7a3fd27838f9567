/** Composition root of signaling: the realtime socket between core's feed and the consoles, and the server of secure talk. */
import { join } from 'node:path';
import { createLogger, runService } from '@siphera/runtime';
import { readConfig } from './config.ts';
import { startSignaling } from './start-signaling.ts';

const config = readConfig();
const log = createLogger({ service: 'signaling', level: config.LOG_LEVEL });

await runService(log, async (parts) => {
  const signaling = await startSignaling({
    config,
    log,
    migrations: join(import.meta.dirname, '..', 'migrations'),
  });
  parts.push({ name: 'signaling', stop: () => signaling.stop() });
});
