/**
 * `siphera restore FILE`: verifies an archive completely, then puts its parts in place. Nothing is deleted: what was
 * there moves to `before-restore-<time>` beside it. The launcher stops the services before and starts them after.
 */
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@siphera/runtime';
import { unpackVerified } from './archive.ts';
import { checkDatabases, dataFolders } from './backup.ts';
import { type BoxPlace, servicesOf } from './box.ts';
import { type Command, words } from './command.ts';
import { askHealth } from './probe.ts';

export const restore: Command = async ({ box, args, print, clock }) => {
  const [archive] = words(args);
  if (archive === undefined) throw new AppError('validation_failed', 'Which archive? siphera restore FILE');
  if (!existsSync(archive)) throw new AppError('not_found', `There is no ${archive}`);
  const checkOnly = args.includes('--check');
  const scratch = mkdtempSync(join(box.dataDir, '.restore-'));
  try {
    const manifest = await unpackVerified(archive, scratch);
    checkDatabases(scratch);
    print(`${archive} is good: ${manifest.host_name}, ${manifest.created_at}, release ${manifest.version}`);
    if (checkOnly) return 0;
    await refuseWhileRunning(box);
    const stamp = new Date(clock.now()).toISOString().replace(/[-:]|\.\d+/g, '');
    const aside = `before-restore-${stamp}`;
    for (const folder of dataFolders) {
      swapIn(join(scratch, 'data', folder), join(box.dataDir, folder), join(box.dataDir, aside, folder));
    }
    for (const entry of ['secrets', 'pki']) {
      swapIn(join(scratch, 'etc', entry), join(box.etcDir, entry), join(box.etcDir, aside, entry));
    }
    print(`Restored. The data from before is in ${join(box.dataDir, aside)} and ${join(box.etcDir, aside)}.`);
    print(
      'Settings (siphera.env) stay as they are on this machine; run ./install.sh if its name or addresses are others.',
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return 0;
};

async function refuseWhileRunning(box: BoxPlace): Promise<void> {
  const answers = await Promise.all(servicesOf(box).map((service) => askHealth(box.health[service])));
  if (answers.some((answer) => answer !== undefined)) {
    throw new AppError(
      'conflict',
      'The services still run. Use the siphera command, which stops them: siphera restore FILE',
    );
  }
}

/** Puts `from` at `to`, owned as the old one was, file by file where the old one has the same name. */
function swapIn(from: string, to: string, aside: string): void {
  if (!existsSync(from)) return;
  const fresh = `${to}.restored`;
  rmSync(fresh, { recursive: true, force: true });
  // Another file system may lie between; the copy is whole before the old one moves.
  cpSync(from, fresh, { recursive: true });
  if (existsSync(to)) {
    takeOwners(to, fresh);
    mkdirSync(join(aside, '..'), { recursive: true, mode: 0o700 });
    renameSync(to, aside);
  }
  renameSync(fresh, to);
}

/**
 * Users have other numbers on another machine, so owners and permissions come from what the installer made here; what has
 * no model is for its owner alone.
 */
function takeOwners(model: string, path: string, home = model): void {
  const known = existsSync(model);
  const like = statSync(known ? model : home);
  const isDirectory = lstatSync(path).isDirectory();
  chownSync(path, like.uid, like.gid);
  chmodSync(path, known ? like.mode & 0o777 : isDirectory ? 0o700 : 0o600);
  if (!isDirectory) return;
  const nearest = known ? model : home;
  for (const name of readdirSync(path)) takeOwners(join(nearest, name), join(path, name), nearest);
}
