/** The machine itself: clock, disk, memory, permissions of what must stay secret, age of the last backup. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BoxPlace } from './box.ts';
import { broken, type Check, ok, warning } from './finding.ts';
import { newestBackup } from './status.ts';

const run = promisify(execFile);
const gib = 1024 ** 3;
/** Below this core refuses new events (it keeps a reserve); a busy box writes this in some minutes. */
const diskBrokenBytes = gib / 2;
const diskWarningBytes = 2 * gib;
/** Services idle at 400 MiB and grow under load; below this the kernel starts to kill. */
const memoryWarningBytes = 200 * 1024 ** 2;
const backupWarningMs = 7 * 24 * 3_600_000;
/** File times ahead of the clock by more than this mean that the clock went back. */
const clockBackMs = 120_000;

export const clockCheck: Check = async ({ box, nowMs }) => {
  const newest = newestWrite(box);
  if (newest > nowMs + clockBackMs) {
    return broken(
      `The clock says ${new Date(nowMs).toISOString()}, but data was written at ${new Date(newest).toISOString()}`,
      'Events get wrong times, tokens and certificates are refused or live too long.',
      'Set the clock: timedatectl set-ntp true (or date -s), then siphera restart.',
    );
  }
  const synchronised = await clockIsSynchronised();
  return synchronised === false
    ? warning(
        'The clock is not synchronised',
        'It drifts by seconds a week; evidence needs the right time.',
        'timedatectl set-ntp true, or install chrony and name a time server of your network.',
      )
    : ok(`The clock says ${new Date(nowMs).toISOString()}${synchronised === true ? ', synchronised' : ''}`);
};

/** undefined where nobody here can tell (a container, no systemd). */
async function clockIsSynchronised(): Promise<boolean | undefined> {
  try {
    const { stdout } = await run('timedatectl', ['show', '-p', 'NTPSynchronized', '--value']);
    return stdout.trim() === 'yes';
  } catch {
    return undefined;
  }
}

function newestWrite(box: BoxPlace): number {
  const files = ['core/core.sqlite', 'core/core.sqlite-wal'].map((name) => join(box.dataDir, name));
  return Math.max(0, ...files.filter((file) => existsSync(file)).map((file) => statSync(file).mtimeMs));
}

export const diskCheck: Check = ({ box }) => {
  const { bavail, bsize, blocks } = statfsSync(box.dataDir);
  const free = bavail * bsize;
  const text = `${(free / gib).toFixed(1)} of ${((blocks * bsize) / gib).toFixed(1)} GiB free at ${box.dataDir}`;
  if (free >= diskWarningBytes) return ok(text);
  const say = free < diskBrokenBytes ? broken : warning;
  return say(
    text,
    'Without room the box takes no more events: agents and panels keep them and wait.',
    'Shorten the retention (Settings → Retention), remove old backups, or move the data with --data-dir to a larger disk.',
  );
};

export const memoryCheck: Check = () => {
  const match = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'));
  const available = Number(match?.[1] ?? 0) * 1024;
  const text = `${Math.round(available / 1024 ** 2)} MiB of memory available`;
  return available >= memoryWarningBytes
    ? ok(text)
    : warning(text, 'The kernel may kill a service.', 'Stop what else runs here, or add memory.');
};

export const permissionCheck: Check = ({ box }) => {
  const open = secretFiles(box).filter((file) => existsSync(file) && (statSync(file).mode & 0o077) !== 0);
  const first = open[0];
  if (first === undefined) return ok('Secrets and keys are readable to their owners alone');
  return broken(
    `Others can read ${open.join(', ')}`,
    'Whoever reads the CA key can pose as this box and as any device.',
    './install.sh sets the permissions right; if others could log in here, make a new CA (docs/guide/operate.md).',
  );
};

function secretFiles(box: BoxPlace): string[] {
  const pki = join(box.etcDir, 'pki');
  const keys = existsSync(pki)
    ? readdirSync(pki, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.key'))
    : [];
  return [
    ...keys.map((name) => join(pki, name)),
    ...[
      'panel.key',
      'admin.key',
      'camera.key',
      'signaling.key',
      'janus.secret',
      'turn.secret',
      'sip-bridge.key',
      'sip.secret',
      'sip-rpc.secret',
    ].map((name) => join(box.etcDir, 'secrets', name)),
    join(box.dataDir, 'core'),
    join(box.dataDir, 'panel'),
    join(box.dataDir, 'signaling'),
    join(box.dataDir, 'camera'),
    join(box.dataDir, 'sip-bridge'),
    box.recordingsDir,
  ];
}

export const backupCheck: Check = ({ box, nowMs }) => {
  const newest = newestBackup(box);
  if (newest && nowMs - newest.atMs < backupWarningMs) return ok(`Last backup: ${newest.path}`);
  return warning(
    newest ? `The last backup is from ${new Date(newest.atMs).toISOString()}` : 'There is no backup',
    'A dead disk would take the evidence, the rules and the trust of every device with it.',
    'siphera backup, best daily by cron; copy the archive to another machine.',
  );
};
