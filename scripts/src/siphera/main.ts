/**
 * The `siphera` command: what a site admin does at the box itself. Started by /usr/local/bin/siphera (scripts/siphera)
 * as root, natively or in the `tools` container.
 */
import { AppError, systemClock } from '@siphera/runtime';
import { backup } from './backup.ts';
import { commandHelp } from './help.ts';
import { ownEvidenceKey, readBox } from './box.ts';
import { doctor } from './doctor.ts';
import { resetAdmin, setupCode } from './admin.ts';
import { restore } from './restore.ts';
import { selfTest } from './self-test.ts';
import { status } from './status.ts';
import { verifyAudit } from './verify-audit.ts';
import { verifyEvidence } from './verify-evidence.ts';
import type { Command } from './command.ts';

const commands: Readonly<Record<string, Command>> = {
  status,
  doctor,
  backup,
  restore,
  'reset-admin': resetAdmin,
  'verify-audit': verifyAudit,
  'self-test': selfTest,
  'setup-code': setupCode,
};

const [name = 'help', ...args] = process.argv.slice(2);
process.exitCode = await main();

async function main(): Promise<number> {
  if (name === 'help' || name === '--help' || name === '-h' || args.includes('--help')) {
    process.stdout.write(commandHelp);
    return 0;
  }
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  try {
    // Whoever was given an export may check it, on any machine.
    if (name === 'verify-evidence')
      return await verifyEvidence({ args, print, ownKeyFile: ownEvidenceKey(process.env) });
    return await runOnBox(print);
  } catch (error) {
    process.stderr.write(`siphera ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    if (!(error instanceof AppError) && process.env['DEBUG'] === '1') console.error(error);
    return 1;
  }
}

async function runOnBox(print: (line: string) => void): Promise<number> {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    process.stderr.write(`siphera: there is no command '${name}'\n\n${commandHelp}`);
    return 2;
  }
  return command({ box: readBox(process.env), args, print, clock: systemClock });
}
