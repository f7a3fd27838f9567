/** Composition root of the DC-09 receiver: configuration → store → core → listeners → drain. */
import { join } from 'node:path';
import { createLogger, runService } from '@siphera/runtime';
import { readConfig } from './config.ts';
import { startPanel } from './start-panel.ts';

const config = readConfig();
const log = createLogger({ service: 'panel', level: config.LOG_LEVEL });

await runService(log, async (parts) => {
  const panel = await startPanel({ config, log, migrations: join(import.meta.dirname, '..', 'migrations') });
  parts.push({ name: 'panel', stop: () => panel.stop() });
});
