/**
 * Memory of the box's own services when nothing happens, started as the installer starts them: a warm compile cache and
 * the flags of compose/runit. Resident (RSS) counts Node's own pages in each process; proportional (PSS) counts them once.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setupAdmin, startBox, tempDir, type Box } from '@siphera/testkit';
import { root } from '../root.ts';
import type { BenchOptions, BenchRow } from './bench-row.ts';
import { pssOf, rssOf } from './process-figures.ts';

const settleMs = 12_000;
const targetsMiB: Readonly<Record<string, number>> = { core: 150 };
const sumTargetMiB = 500;
const names = ['core', 'panel', 'signaling'] as const;

export async function benchMemory({ progress }: BenchOptions): Promise<BenchRow[]> {
  await using cache = await tempDir('compile-cache');
  const before = process.env['NODE_COMPILE_CACHE'];
  process.env['NODE_COMPILE_CACHE'] = cache.path;
  try {
    // Node writes the cache when a process ends, so the first start of a box is only to fill it.
    progress('filling the compile cache');
    await (await startAsInstalled()).stop();
    progress(`idle for ${settleMs / 1_000} s`);
    await using box = await startAsInstalled();
    await setupAdmin(box);
    await new Promise((resolve) => setTimeout(resolve, settleMs));
    return memoryRows(box);
  } finally {
    if (before === undefined) delete process.env['NODE_COMPILE_CACHE'];
    else process.env['NODE_COMPILE_CACHE'] = before;
  }
}

function memoryRows(box: Box): BenchRow[] {
  const pids = names.map((name) => box[name]?.daemon.pid);
  const sum = (of: (pid: number | undefined) => number): number =>
    pids.reduce<number>((total, pid) => total + of(pid), 0);
  const row = (what: string, ours: number, target?: number): BenchRow => ({
    what,
    ours,
    unit: 'MiB',
    better: 'less',
    ...(target === undefined ? {} : { target: { ours: target } }),
  });
  return [
    ...names.map((name, n) => row(`idle, ${name}: resident`, rssOf(pids[n]), targetsMiB[name])),
    row('idle, all own services: resident', sum(rssOf), sumTargetMiB),
    ...names.map((name, n) => row(`idle, ${name}: proportional`, pssOf(pids[n]))),
    row('idle, all own services: proportional', sum(pssOf)),
  ];
}

function startAsInstalled(): Promise<Box> {
  return startBox({
    env: Object.fromEntries(names.map((name) => [name, { LOG_LEVEL: 'warn', ...installedEnv(name) }])),
  });
}

/** What the run script of a service sets, besides what the box of the test kit sets itself. */
function installedEnv(name: string): Record<string, string> {
  const script = readFileSync(join(root, 'compose/runit', `${name}.template`), 'utf8');
  const set = [...script.matchAll(/^(?:export )?(NODE_OPTIONS|MALLOC_ARENA_MAX)='?([^'\n]+)'?$/gm)];
  return Object.fromEntries(set.map(([, key = '', value = '']) => [key, value]));
}
