/** Runs a short program to its end. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** The longest packs the desk; twice that and more on two busy cores. */
const commandMsMax = 180_000;

/** @returns stdout. A non-zero end throws with the program's stderr in the message. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const { stdout } = await run(command, [...args], {
    timeout: commandMsMax,
    maxBuffer: 16 * 1024 * 1024,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: { ...process.env, ...options.env } }),
  });
  return stdout;
}
