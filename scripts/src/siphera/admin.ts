/** `siphera setup-code` and `siphera reset-admin`: one-time codes that core makes and keeps only a hash of. */
import { internalPaths, InternalResetCode, InternalSetupCode } from '@siphera/contract';
import { publicUrl } from './box.ts';
import { words, type Command } from './command.ts';
import { callAsRoot } from './root-client.ts';

/** Prints the code alone with `--if-needed`, for the installer; nothing when the box has its admin. */
export const setupCode: Command = async ({ box, args, print }) => {
  const answer = InternalSetupCode.parse(await callAsRoot(box, internalPaths.setupCode));
  if (args.includes('--if-needed')) {
    if (answer.needed && answer.code !== undefined) print(answer.code);
    return 0;
  }
  if (!answer.needed || answer.code === undefined) {
    print('This box has an admin already. For a lost password: siphera reset-admin EMAIL');
    return 1;
  }
  print(
    `Open ${publicUrl(box)}/setup and give this code, good once until ${answer.expires_at ?? 'it is used'}:`,
  );
  print(`  ${answer.code}`);
  return 0;
};

export const resetAdmin: Command = async ({ box, args, print }) => {
  const [email] = words(args);
  const answer = InternalResetCode.parse(
    await callAsRoot(box, internalPaths.resetAdmin, email === undefined ? {} : { email }),
  );
  print(`Open ${publicUrl(box)}/reset, sign in as ${answer.email} with this code and choose a new password.`);
  print(`It is good once, until ${answer.expires_at}; all sessions of that account have ended:`);
  print(`  ${answer.code}`);
  return 0;
};
