/** What the kernel says of a process: its memory, its time. */
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

/** Seconds of processor that a process has used, user and system (proc(5), fields 14 and 15 in ticks of 10 ms). */
export function cpuSecondsOf(pid: number | undefined): number {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
