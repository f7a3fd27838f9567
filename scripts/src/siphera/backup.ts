/**
 * `siphera backup`: everything but footage. The databases (each a consistent copy, checked), the services' other files, secrets, certificates
 * with the CA's key, and settings, as one archive that is read again before it gets its name. The box keeps running.
 */
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { chmod, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AppError } from '@siphera/runtime';
import { z } from 'zod';
import { listFiles, pack, unpackVerified } from './archive.ts';
import type { BoxPlace } from './box.ts';
import { type Command, words } from './command.ts';
import { checkDatabase, copyDatabase } from './sqlite-files.ts';

/** Services that own data. Mosquitto's store is left out: what it held, agents and core send again. */
export const dataFolders = ['core', 'panel', 'signaling', 'camera', 'sip-bridge'] as const;
/** What a backup holds of /etc/siphera; the rest is rendered from it. */
const configEntries = ['siphera.env', 'secrets', 'pki'] as const;
const sqliteMagic = 'SQLite format 3\0';
/** Recreated by themselves, or only good for the moment. */
const leftOut = /(-wal|-shm|-journal)$|^setup-code$|^\.compile-cache$|\.tmp$/;
/** Of the camera service: exports are footage, and can be made again. */
const footageFolders: readonly string[] = ['exports'];
/** A copy, the archive and its test reading lie side by side for a moment. */
const roomFactor = 3;

export const backup: Command = async ({ box, args, print, clock }) => {
  const [wanted] = words(args);
  mkdirSync(box.backupDir, { recursive: true, mode: 0o700 });
  const stamp = new Date(clock.now()).toISOString().replace(/[-:]|\.\d+/g, '');
  const archive = wanted ?? join(box.backupDir, `siphera-${box.hostName}-${stamp}.tar.gz`);
  if (existsSync(archive)) throw new AppError('conflict', `${archive} is there already`);
  checkRoom(box);
  const scratch = mkdtempSync(join(box.backupDir, '.backup-'));
  try {
    const tree = join(scratch, 'tree');
    collect(box, tree);
    const manifest = await pack(tree, `${archive}.tmp`, {
      version: await readVersion(),
      created_at: new Date(clock.now()).toISOString(),
      host_name: box.hostName,
    });
    await chmod(`${archive}.tmp`, 0o600);
    const again = join(scratch, 'again');
    mkdirSync(again);
    await unpackVerified(`${archive}.tmp`, again);
    checkDatabases(again);
    renameSync(`${archive}.tmp`, archive);
    print(
      `Backup: ${archive} (${manifest.files.length} files, ${Math.ceil(statSync(archive).size / 1024)} KiB, read again and verified)`,
    );
    print(`Footage is not in it (${box.recordingsDir}): locked evidence is exported in the console.`);
    print("It holds the box's secrets and its CA's key: keep it where only admins can read it.");
  } finally {
    rmSync(scratch, { recursive: true, force: true });
    rmSync(`${archive}.tmp`, { force: true });
  }
  return 0;
};

function collect(box: BoxPlace, tree: string): void {
  for (const folder of dataFolders) copyData(join(box.dataDir, folder), join(tree, 'data', folder));
  for (const entry of configEntries) {
    const from = join(box.etcDir, entry);
    if (existsSync(from)) cpSync(from, join(tree, 'etc', entry), { recursive: true });
  }
}

function copyData(from: string, to: string): void {
  if (!existsSync(from)) return;
  const footage = basename(from) === 'camera' ? footageFolders : [];
  mkdirSync(to, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(from)) {
    if (leftOut.test(name) || footage.includes(name)) continue;
    if (isDatabase(join(from, name))) copyDatabase(join(from, name), join(to, name));
    else cpSync(join(from, name), join(to, name), { recursive: true });
  }
}

export function checkDatabases(tree: string): void {
  for (const path of listFiles(join(tree, 'data'))) {
    if (isDatabase(join(tree, 'data', path))) checkDatabase(join(tree, 'data', path));
  }
}

/** By its first bytes, so that no service has to name its file in a certain way. */
function isDatabase(path: string): boolean {
  if (!statSync(path).isFile()) return false;
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(sqliteMagic.length);
    return readSync(file, head, 0, head.length, 0) === head.length && head.toString('latin1') === sqliteMagic;
  } finally {
    closeSync(file);
  }
}

function checkRoom(box: BoxPlace): void {
  const bytes = dataFolders
    .map((folder) => join(box.dataDir, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      listFiles(folder)
        .filter((path) => !(folder.endsWith('camera') && footageFolders.includes(path.split('/')[0] ?? '')))
        .map((path) => statSync(join(folder, path)).size),
    )
    .reduce((total, size) => total + size, 0);
  const { bavail, bsize } = statfsSync(box.backupDir);
  const free = bavail * bsize;
  if (free < bytes * roomFactor) {
    const mib = (value: number): number => Math.ceil(value / 1_048_576);
    throw new AppError(
      'unavailable',
      `A backup needs ${mib(bytes * roomFactor)} MiB in ${box.backupDir}, and ${mib(free)} are free`,
    );
  }
}

/** Of this release, from its package.json. */
async function readVersion(): Promise<string> {
  const text = await readFile(new URL('../../../package.json', import.meta.url), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}
