/** The `siphera-agent` command: enrol once, then run. Composition root; the only file with side effects. */
import { parseArgs } from 'node:util';
import { startAgent } from './agent.ts';
import { type AgentConfig, loadConfig, socketPath } from './config.ts';
import { AgentError } from './domain/agent-error.ts';
import { systemClock } from './domain/clock.ts';
import type { Driver } from './domain/driver.ts';
import { systemRandom } from './domain/random.ts';
import { socketDriver, stdioDriver } from './driver/remote-driver.ts';
import type { Trust } from './enrol/box-trust.ts';
import { enrol } from './enrol/enrol.ts';
import { readIdentity } from './enrol/identity.ts';
import { createLog } from './log.ts';
import { agentVersion } from './version.ts';

const usage = `siphera-agent ${agentVersion}: connects a door controller or sensor hub to a Siphera box

  siphera-agent enrol --box https://BOX --code CODE (--ca FILE | --fingerprint SHA256) [--config FILE]
      Makes this agent's key and fetches its certificate with a one-time code from the box.
      --ca           the box CA's certificate, as file
      --fingerprint  or its SHA-256, as the box's trust page shows it

  siphera-agent run [--config FILE]
      Runs until it is told to stop. Logs go to stderr as JSON lines.

  siphera-agent check [--config FILE]
      Reads the config file and the identity, and says whether they are in order.

  --config defaults to /etc/siphera-agent/config.json
`;
/** sysexits.h: EX_USAGE, EX_CONFIG, EX_SOFTWARE. */
const exitCodes = { usage: 64, config: 78, failed: 70 } as const;
const options = {
  config: { type: 'string', default: '/etc/siphera-agent/config.json' },
  box: { type: 'string' },
  code: { type: 'string' },
  ca: { type: 'string' },
  fingerprint: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: string[]): Promise<number> {
  try {
    return await dispatch(argv);
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    process.stderr.write(`siphera-agent: ${error.message}\n`);
    if (error.code === 'usage') return exitCodes.usage;
    const configCodes: readonly string[] = ['config_invalid', 'not_enrolled', 'identity_invalid'];
    return configCodes.includes(error.code) ? exitCodes.config : exitCodes.failed;
  }
}

async function dispatch(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv);
  if (values.help === true || values.version === true) {
    process.stdout.write(values.version === true ? `${agentVersion}\n` : usage);
    return 0;
  }
  const [command, ...rest] = positionals;
  if (rest.length > 0) throw new AgentError('usage', `Unexpected "${rest[0]}"; see --help`);
  if (command === 'enrol') return await runEnrol(values);
  if (command === 'run') return await run(await loadConfig(values.config));
  if (command === 'check') return await check(await loadConfig(values.config));
  throw new AgentError('usage', command ? `No command "${command}"; see --help` : usage);
}

function parse(argv: string[]) {
  try {
    return parseArgs({ args: argv, options, allowPositionals: true });
  } catch (cause) {
    throw new AgentError('usage', cause instanceof Error ? cause.message : String(cause), cause);
  }
}

type Values = ReturnType<typeof parse>['values'];

async function runEnrol(values: Values): Promise<number> {
  const { box, code } = values;
  if (!box || !code) throw new AgentError('usage', 'enrol needs --box and --code');
  const config = await loadConfig(values.config);
  const identity = await enrol({ dataDir: config.data_dir, box, code, trust: trustOf(values) });
  process.stdout.write(`Enrolled as ${identity.deviceId}, ${identity.children.length} devices behind it.\n`);
  return 0;
}

function trustOf({ ca, fingerprint }: Values): Trust {
  if (ca !== undefined && fingerprint === undefined) return { caFile: ca };
  if (fingerprint !== undefined && ca === undefined) return { fingerprint };
  throw new AgentError(
    'usage',
    'enrol needs exactly one of --ca and --fingerprint, to know the box from an impostor',
  );
}

async function check(config: AgentConfig): Promise<number> {
  const identity = await readIdentity(config.data_dir);
  process.stdout.write(`In order: ${identity.deviceId} at ${config.mqtt_url ?? identity.mqttUrl}\n`);
  return 0;
}

async function run(config: AgentConfig): Promise<number> {
  const identity = await readIdentity(config.data_dir);
  const log = createLog({
    clock: systemClock,
    level: config.log_level,
    write: (line) => void process.stderr.write(line),
  });
  const stopRequested = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
  const driver = driverOf(config);
  const agent = await startAgent({ config, identity, driver, clock: systemClock, random: systemRandom, log });
  log.info('agent.stopping', { signal: await stopRequested });
  await agent.stop();
  return 0;
}

function driverOf(config: AgentConfig): Driver {
  return config.driver.kind === 'stdio'
    ? stdioDriver(process.stdin, process.stdout)
    : socketDriver(socketPath(config));
}
