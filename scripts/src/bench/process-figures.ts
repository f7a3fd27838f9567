/** What the kernel says of a process: its memory. */
import { readFileSync } from 'node:fs';

/** Resident memory in MiB. */
export function rssOf(pid: number | undefined): number {
  const found = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1];
  return Number(found) / 1_024;
}

/** Proportional memory in MiB: a page that n processes share counts 1/n in each. */
export function pssOf(pid: number | undefined): number {
  const found = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${String(pid)}/smaps_rollup`, 'utf8'))?.[1];
  return Number(found) / 1_024;
}
