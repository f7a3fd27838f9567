/** `siphera status`: one line a part. Exit 0 when all of them are well. */
import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type BoxPlace, type Probe, publicUrl, servicesOf } from './box.ts';
import type { Command } from './command.ts';
import { askBroker, askDaemon, askHealth, askRelay, shownCertificate } from './probe.ts';

const run = promisify(execFile);

type Line = { part: string; up: boolean; detail: string };

export const status: Command = async ({ box, print, clock }) => {
  const lines = await Promise.all([
    ...servicesOf(box).map(async (part): Promise<Line> => {
      const health = await askHealth(box.health[part]);
      const detail = health === undefined ? 'does not answer' : health.ok ? 'healthy' : health.text;
      return { part, up: health?.ok ?? false, detail };
    }),
    daemonLine('janus', box.media.janus),
    ...phoneLines(box),
    ...relayLines(box),
    brokerLine(box),
    frontLine(box),
  ]);
  print(`Siphera box at ${publicUrl(box)} (${box.mode})`);
  for (const { part, up, detail } of lines) {
    const since = box.mode === 'native' ? await runningSince(box, part) : '';
    print(`  ${up ? '✓' : '✗'} ${part.padEnd(11)} ${detail}${since}`);
  }
  print(`  last backup: ${lastBackup(box, clock.now())}`);
  return lines.every(({ up }) => up) ? 0 : 1;
};

async function daemonLine(part: string, probe: Probe): Promise<Line> {
  const up = await askDaemon(probe);
  const detail = up === undefined ? 'not known here' : up ? 'healthy' : 'does not answer';
  return { part, up: up !== false, detail };
}

/** None where phones are switched off. */
const phoneLines = ({ phones }: BoxPlace): Promise<Line>[] =>
  phones
    ? Object.entries({ kamailio: phones.kamailio, ...phones.relays }).map(([part, probe]) =>
        daemonLine(part, probe),
      )
    : [];

/** None where the relay is switched off. */
const relayLines = ({ relay }: BoxPlace): Promise<Line>[] =>
  relay
    ? [
        askRelay(relay.turn).then((up) => ({
          part: 'coturn',
          up,
          detail: up ? 'healthy' : 'does not answer',
        })),
      ]
    : [];

async function brokerLine(box: BoxPlace): Promise<Line> {
  try {
    return { part: 'mosquitto', up: true, detail: `healthy, up ${await askBroker(box)}` };
  } catch (error) {
    return { part: 'mosquitto', up: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

async function frontLine(box: BoxPlace): Promise<Line> {
  const certificate = await shownCertificate(box.front, box.hostName);
  if (!certificate) return { part: 'nginx', up: false, detail: 'does not answer by TLS' };
  return {
    part: 'nginx',
    up: true,
    detail: `healthy, certificate until ${certificate.validToDate.toISOString().slice(0, 10)}`,
  };
}

/** From runit: `run: /etc/siphera/sv/core: (pid 12) 34s`. */
async function runningSince(box: BoxPlace, part: string): Promise<string> {
  try {
    const { stdout } = await run('sv', ['status', join(box.etcDir, 'sv', part)]);
    const match = /^(\w+):.*?\(pid (\d+)\) (\d+)s/.exec(stdout);
    return match
      ? ` (pid ${match[2]}, up ${duration(Number(match[3]))})`
      : ` (${stdout.split(':')[0] ?? 'unknown'})`;
  } catch {
    // Not root, or the supervisor is down; the health line above says what matters.
    return '';
  }
}

function duration(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} days`;
}

/** Name and age of the newest archive. */
function lastBackup(box: BoxPlace, nowMs: number): string {
  const newest = newestBackup(box);
  if (!newest) return 'none yet (siphera backup)';
  return `${newest.path}, ${duration(Math.max(0, Math.floor((nowMs - newest.atMs) / 1_000)))} ago`;
}

export function newestBackup(box: BoxPlace): { path: string; atMs: number } | undefined {
  let names: string[];
  try {
    names = readdirSync(box.backupDir).filter((name) => /^siphera-.*\.tar\.gz$/.test(name));
  } catch {
    // No such directory yet, or not readable to us: there is no backup that we could name.
    return undefined;
  }
  return names
    .map((name) => join(box.backupDir, name))
    .map((path) => ({ path, atMs: statSync(path).mtimeMs }))
    .sort((a, b) => b.atMs - a.atMs)[0];
}
