/** `siphera setup-code` and `siphera reset-admin`: how root lets the first, or a locked-out, admin in. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InternalAdminReset, internalPaths, InternalSetupCode } from '@siphera/contract';
import { publicUrl } from './box.ts';
import { words, type Command } from './command.ts';
import { callAsRoot } from './root-client.ts';

/**
 * A new code makes the older ones void. With `--if-needed`, for the installer, it prints the code that is good now, and
 * nothing when the box has its admin: core keeps the file as long as the code is good.
 */
export const setupCode: Command = async ({ box, args, print }) => {
  if (args.includes('--if-needed')) {
    const file = join(box.dataDir, 'core', 'setup-code');
    if (existsSync(file)) print(readFileSync(file, 'utf8').trim());
    return 0;
  }
  const { code, expires_at } = InternalSetupCode.parse(await callAsRoot(box, internalPaths.setupCode));
  print(`Open ${publicUrl(box)}/setup and give this code, good once until ${expires_at}:`);
  print(`  ${code}`);
  return 0;
};

export const resetAdmin: Command = async ({ box, args, print }) => {
  const [email] = words(args);
  const answer = InternalAdminReset.parse(
    await callAsRoot(box, internalPaths.resetAdmin, email === undefined ? {} : { email }),
  );
  print(`${answer.name} can sign in at ${publicUrl(box)} again. All sessions of that account have ended.`);
  print(`  e-mail:   ${answer.email}`);
  print(`  password: ${answer.password}   (change it at once: Account → Password)`);
  return 0;
};
