/** Judges what was measured. Pure: the measuring is in http/system-health.ts. */
import type { HealthCheck, ServiceState } from '@siphera/contract';
import type { z } from 'zod';

type Check = z.infer<typeof HealthCheck>;
type State = z.infer<typeof ServiceState>;

/** A service that was not heard for so long is shown as down (it says how it is every 5 s). */
export const silentMsMax = 15_000;
/** Below it SQLite may fail to commit any moment: the log and one checkpoint need room. */
const diskDownBytes = 256 * 1024 * 1024;
const diskLowBytes = 2 * 1024 * 1024 * 1024;
const diskLowFraction = 0.05;
/** Let's Encrypt renews 30 days before; at 14 the renewal has failed. */
const certificateSoonMs = 14 * 86_400_000;
/** No box runs before this software was written; a clock from before it lost its battery. 2026-01-01. */
const earliestSaneMs = 1_767_225_600_000;
/** A clock set back by less is a correction. */
const clockBackMsMax = 5_000;

const worst: readonly State[] = ['down', 'degraded', 'ok'];
export const worstOf = (states: readonly State[]): State =>
  worst.find((state) => states.includes(state)) ?? 'ok';

export function diskCheck(disk: { free_bytes: number; total_bytes: number }): Check {
  const free = `${(disk.free_bytes / 1e9).toFixed(1)} GB of ${(disk.total_bytes / 1e9).toFixed(1)} GB free`;
  if (disk.free_bytes < diskDownBytes)
    return {
      name: 'disk',
      state: 'down',
      detail: `${free}: nothing more can be stored`,
      hint: 'Free space on the data volume, or shorten the retention.',
    };
  const low = disk.free_bytes < diskLowBytes || disk.free_bytes < disk.total_bytes * diskLowFraction;
  return low
    ? { name: 'disk', state: 'degraded', detail: free, hint: 'Shorten the retention or add disk.' }
    : { name: 'disk', state: 'ok', detail: free };
}

export function clockCheck(nowMs: number, newestCommitMs: number): Check {
  if (nowMs < earliestSaneMs)
    return {
      name: 'clock',
      state: 'down',
      detail: 'The clock of the box is years behind.',
      hint: 'Set it, and see that NTP runs.',
    };
  const backMs = newestCommitMs - nowMs;
  if (backMs > clockBackMsMax)
    return {
      name: 'clock',
      state: 'degraded',
      detail: `The clock is ${Math.round(backMs / 1_000)} s behind the last commit: it was set back.`,
      hint: 'Check NTP.',
    };
  return { name: 'clock', state: 'ok', detail: 'Plausible' };
}

export function certificateCheck(
  certificate: { subject: string; expiresMs: number } | undefined,
  nowMs: number,
): Check {
  if (!certificate)
    return { name: 'certificate', state: 'degraded', detail: 'The certificate cannot be read.' };
  const leftMs = certificate.expiresMs - nowMs;
  const days = Math.floor(leftMs / 86_400_000);
  if (leftMs <= 0)
    return {
      name: 'certificate',
      state: 'down',
      detail: 'It has expired: browsers refuse the box.',
      hint: 'Run install.sh again; it renews its own.',
    };
  if (leftMs < certificateSoonMs)
    return { name: 'certificate', state: 'degraded', detail: `${days} days left`, hint: 'Renew it.' };
  return { name: 'certificate', state: 'ok', detail: `${days} days left` };
}

export const storageCheck = (failure: string | undefined, bytes: number): Check =>
  failure === undefined
    ? { name: 'database', state: 'ok', detail: `${(bytes / 1e6).toFixed(1)} MB` }
    : {
        name: 'database',
        state: 'down',
        detail: `Commits fail (${failure}): nothing is stored.`,
        hint: 'Look at the disk.',
      };

export const brokerCheck = (broker: 'connected' | 'disconnected'): Check =>
  broker === 'connected'
    ? { name: 'broker', state: 'ok', detail: 'Connected' }
    : {
        name: 'broker',
        state: 'down',
        detail: 'No connection to Mosquitto: devices are not heard.',
        hint: 'Run `siphera doctor`.',
      };
