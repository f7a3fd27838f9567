/**
 * Reads a service's configuration from the environment, once, at the start. A bad variable stops the process with the
 * name of every bad one. A secret `X` may come from the file named by `X_FILE` instead; a variable whose own name ends
 * in `_FILE` is a path and is taken as it is.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Exit code for a configuration error (sysexits EX_CONFIG): supervisors should not restart it in a hurry. */
const exitConfig = 78;

export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`Configuration is not valid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** @throws ConfigError naming every bad variable. */
export function parseConfig<T extends z.ZodObject>(schema: T, env: Environment): z.infer<T> {
  const values: Record<string, string> = {};
  const problems: string[] = [];
  for (const name of Object.keys(schema.shape)) {
    const direct = env[name];
    const file = env[`${name}_FILE`];
    if (direct !== undefined && direct !== '') values[name] = direct;
    else if (file !== undefined && file !== '') {
      try {
        values[name] = readFileSync(file, 'utf8').trim();
      } catch (error) {
        problems.push(
          `${name}_FILE: cannot read ${file} (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`,
        );
      }
    }
  }
  const parsed = schema.safeParse(values);
  if (!parsed.success) {
    problems.push(...parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
  }
  if (problems.length > 0 || !parsed.success) throw new ConfigError(problems);
  return parsed.data;
}

/** As `parseConfig` on this process's environment; prints the problems and ends the process when there are any. */
export function loadConfig<T extends z.ZodObject>(schema: T, env: Environment = process.env): z.infer<T> {
  try {
    return parseConfig(schema, env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(exitConfig);
  }
}

/** Schema of a `host:port` or `unix:/path` listen address. */
export const ListenAddress = z.string().regex(/^(unix:\/.+|.+:\d{1,5})$/, 'must be host:port or unix:/path');
export const LogLevel = z.enum(['debug', 'info', 'warn', 'error']).default('info');
