/** Composition root of the desk: the only file that loads Electron and touches the machine's clock. */
import { inspect } from 'node:util';
import electron from 'electron';
import { startDesk } from './desk.main.ts';
import { probeBox } from './probe.main.ts';
import { openSettingsStore } from './settings-store.main.ts';

// eslint-disable-next-line no-restricted-syntax -- Here the clock comes in; everything else gets it from here.
const nowMs = (): number => Date.now();

startDesk({
  electron,
  store: openSettingsStore(electron.app.getPath('userData')),
  probe: (address) => probeBox(address, nowMs()),
  directory: import.meta.dirname,
  nowMs,
  after: (ms, run) => void setTimeout(run, ms),
  every: (ms, run) => {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
  log: (event, fields) => {
    const { error, ...others } = fields ?? {};
    const shown = error === undefined ? {} : { error: error instanceof Error ? error.stack : inspect(error) };
    process.stderr.write(`${JSON.stringify({ event, ...others, ...shown })}\n`);
  },
});
