/** Composition root of the camera service: configuration → store → core → parts → drain. */
import { join } from 'node:path';
import { createLogger, runService } from '@siphera/runtime';
import { readConfig } from './config.ts';
import { startCamera } from './start-camera.ts';

const config = readConfig();
const log = createLogger({ service: 'camera', level: config.LOG_LEVEL });

await runService(log, async (parts) => {
  const camera = await startCamera({
    config,
    log,
    migrations: join(import.meta.dirname, '..', 'migrations'),
  });
  parts.push({ name: 'camera', stop: () => camera.stop() });
});
