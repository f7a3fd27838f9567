/**
 * Runs named steps, at most a few at once, says how each went as it ends, and shows the output of those that failed.
 * The last line is always `N passed, N failed`, so that a caller can add the lines of several runs up.
 */
import { spawn } from 'node:child_process';
import { root } from '../root.ts';

export type Step = {
  name: string;
  command: string;
  args: readonly string[];
  cwd?: string;
  env?: Readonly<Record<string, string>>;
};
export type Counts = { passed: number; failed: number };
export type Outcome = { code: number; output: string; seconds: number };

/** Runs all steps; `print` takes each line for the person who waits. */
export async function runSteps(
  steps: readonly Step[],
  atOnce: number,
  print: (line: string) => void = console.log,
): Promise<Counts> {
  const open = [...steps];
  const failed: { name: string; output: string }[] = [];
  const worker = async (): Promise<void> => {
    for (let step = open.shift(); step !== undefined; step = open.shift()) {
      const { code, output, seconds } = await runStep(step);
      print(`${code === 0 ? '✓' : '✗'} ${step.name} (${seconds.toFixed(1)} s)`);
      if (code !== 0) failed.push({ name: step.name, output });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  for (const { name, output } of failed) print(`\n── ${name} ──\n${output.trimEnd()}`);
  return { passed: steps.length - failed.length, failed: failed.length };
}

/** Runs one program to its end. `live` sees the output as it comes. */
export function runStep(step: Step, live?: (text: string) => void): Promise<Outcome> {
  const started = performance.now();
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(step.command, [...step.args], {
      cwd: step.cwd ?? root,
      env: { ...process.env, ...step.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const take = (text: string): void => {
      output += text;
      live?.(text);
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    const done = (code: number): void =>
      resolve({ code, output, seconds: (performance.now() - started) / 1_000 });
    child.once('error', (error) => {
      take(`${step.command}: ${error.message}\n`);
      done(127);
    });
    child.once('close', (code) => done(code ?? 1));
  });
}

export const summary = ({ passed, failed }: Counts): string => `${passed} passed, ${failed} failed`;

/** Adds counts up. */
export const sum = (counts: readonly Counts[]): Counts => ({
  passed: counts.reduce((total, { passed }) => total + passed, 0),
  failed: counts.reduce((total, { failed }) => total + failed, 0),
});

/** The counts in the last line of a run of ours; undefined when it broke off before it. */
export function readSummary(output: string): Counts | undefined {
  const match = /(\d+) passed, (\d+) failed\s*$/.exec(output);
  return match ? { passed: Number(match[1]), failed: Number(match[2]) } : undefined;
}
