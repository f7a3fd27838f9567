/**
 * `npm run bench`: the figures of the box, each beside its peer in the same run. `--only ingest,rules`, `--seconds 10`,
 * `--kills 1000`, `--cameras 64`. Prints a table; only `--write` puts it into docs/reference/figures.md, each section that was measured.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BenchCase, BenchRow } from './bench/bench-row.ts';
import { describeMachine, markdown, table } from './bench/report.ts';
import { root } from './root.ts';

const cases: Readonly<Record<string, () => Promise<BenchCase>>> = {
  rules: async () => (await import('./bench/rules.ts')).benchRules,
  ingest: async () => (await import('./bench/ingest.ts')).benchIngest,
  action: async () => (await import('./bench/action.ts')).benchAction,
  screen: async () => (await import('./bench/screen.ts')).benchScreen,
  memory: async () => (await import('./bench/memory.ts')).benchMemory,
  dc09: async () => (await import('./bench/dc09.ts')).benchDc09,
  live: async () => (await import('./bench/live.ts')).benchLive,
  recording: async () => (await import('./bench/recording.ts')).benchRecording,
  footage: async () => (await import('./bench/footage.ts')).benchFootage,
  talk: async () => (await import('./bench/talk.ts')).benchTalk,
  phones: async () => (await import('./bench/phones.ts')).benchPhones,
  emergency: async () => (await import('./bench/emergency.ts')).benchEmergency,
  kills: async () => (await import('./bench/kills.ts')).benchKills,
};

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seconds: { type: 'string', default: '10' },
    kills: { type: 'string', default: '1000' },
    cameras: { type: 'string', default: '8' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(
    `npm run bench -- [--only ${Object.keys(cases).join(',')}] [--seconds 10] [--kills 1000] [--cameras 8] [--write]\n`,
  );
  process.exit(0);
}

const wanted = values.only?.split(',') ?? Object.keys(cases);
const unknown = wanted.filter((name) => !Object.hasOwn(cases, name));
if (unknown.length > 0) throw new Error(`There is no benchmark ${unknown.join(', ')}`);
const machine = describeMachine();
process.stdout.write(`${machine}\n`);

const results: Array<{ name: string; rows: BenchRow[] }> = [];
let failed = false;
for (const name of wanted) {
  const progress = (text: string): void => void process.stderr.write(`${name}: ${text}\n`);
  const run = await cases[name]?.();
  if (!run) continue;
  try {
    const rows = await run({
      seconds: positive('seconds', values.seconds),
      kills: positive('kills', values.kills),
      cameras: positive('cameras', values.cameras),
      progress,
    });
    results.push({ name, rows });
    process.stdout.write(`\n${name}\n${table(rows)}\n`);
  } catch (error) {
    // The others are still worth their time; the run as a whole has failed.
    failed = true;
    process.stderr.write(
      `${name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
  }
}
const after = describeMachine();
process.stdout.write(`\n${after}\n`);
if (values.write && !failed) {
  const page = join(root, 'docs/reference/figures.md');
  writeFileSync(page, markdown(results, machine, readFileSync(page, 'utf8')));
}
process.exit(failed ? 1 : 0);

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new Error(`--${name} must be a number above 0`);
  return value;
}
