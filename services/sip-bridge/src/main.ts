/** Composition root of the SIP bridge: what Kamailio works with, what happened in it, and the people and places of core. */
import { join } from 'node:path';
import { createLogger, runService } from '@siphera/runtime';
import { readConfig } from './config.ts';
import { startSipBridge } from './start-sip-bridge.ts';

const config = readConfig();
const log = createLogger({ service: 'sip-bridge', level: config.LOG_LEVEL });

await runService(log, async (parts) => {
  const bridge = await startSipBridge({
    config,
    log,
    migrations: join(import.meta.dirname, '..', 'migrations'),
  });
  parts.push({ name: 'sip-bridge', stop: () => bridge.stop() });
});
