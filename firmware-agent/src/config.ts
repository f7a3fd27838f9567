/** The agent's config file: JSON, every bad key named, no default that hides a typing error. */
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { AgentError } from './domain/agent-error.ts';
import { logLevels } from './log.ts';

const kibibyte = 1_024;
const mebibyte = 1_024 * kibibyte;

/** Sixteen segments a queue: the overflow policy drops about a sixteenth at once. */
const segmentsPerQueue = 16;
const segmentBytesMax = mebibyte;

const DriverConfig = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('socket'),
    path: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .meta({ description: 'Unix socket for the hardware process; default driver.sock in data_dir' }),
  }),
  z.strictObject({ kind: z.literal('stdio') }),
]);

export const AgentConfig = z.strictObject({
  data_dir: z
    .string()
    .min(1)
    .meta({ description: 'Queue, identity and command results; relative to this file' }),
  log_level: z.enum(logLevels).default('info'),
  heartbeat_seconds: z.int().min(1).max(3_600).default(15),
  mqtt_url: z
    .string()
    .regex(/^mqtts:\/\/[^/]+$/, 'must be mqtts://host or mqtts://host:port')
    .optional()
    .meta({ description: 'In place of the address the box gave at enrolment' }),
  queue: z
    .strictObject({
      bytes_max: z
        .int()
        .min(256 * kibibyte)
        .max(16 * 1_024 * mebibyte)
        .default(64 * mebibyte)
        .meta({ description: 'About 200,000 events at the default; a day offline at two a second' }),
    })
    .prefault({}),
  driver: DriverConfig.default({ kind: 'socket' }),
});
export type AgentConfig = z.infer<typeof AgentConfig>;

export const segmentBytesFor = (bytesMax: number): number =>
  Math.min(segmentBytesMax, Math.floor(bytesMax / segmentsPerQueue));

/** Checks a config; throws `config_invalid` with one line a bad key. */
export function parseConfig(input: unknown, baseDir: string): AgentConfig {
  const parsed = AgentConfig.safeParse(input);
  if (!parsed.success) {
    const lines = parsed.error.issues.flatMap((issue) => describe(issue));
    throw new AgentError('config_invalid', lines.join('\n'));
  }
  return { ...parsed.data, data_dir: resolve(baseDir, parsed.data.data_dir) };
}

/** Reads and checks the config file. */
export async function loadConfig(path: string): Promise<AgentConfig> {
  let input: unknown;
  try {
    input = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AgentError('config_invalid', `${path}: ${why}`, cause);
  }
  return parseConfig(input, dirname(resolve(path)));
}

/** The driver's socket: as configured, else in the data directory. */
export const socketPath = (config: AgentConfig): string =>
  config.driver.kind === 'socket' && config.driver.path
    ? config.driver.path
    : join(config.data_dir, 'driver.sock');

function describe(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${path ? `${path}.` : ''}${key}: no such setting`);
  }
  return [`${path || '(file)'}: ${issue.message}`];
}
