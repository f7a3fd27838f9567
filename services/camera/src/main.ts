/** Composition root of the camera service: configuration → store → core → parts → drain. */
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { createLogger, runService } from '@siphera/runtime';
import { readConfig } from './config.ts';
import { startCamera } from './start-camera.ts';

// Pictures lie outside of the heap, but V8 counts them when it decides to collect: with its usual growth the small heap is
// searched once a second for eight cameras, which costs as much as recording them. Memory stays the same.
setFlagsFromString('--heap-growing-percent=100');

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
