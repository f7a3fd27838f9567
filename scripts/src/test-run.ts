/**
 * The second half of `npm test`, once Node and the packages are there: checks, the console's build, unit, integration and
 * browser tests, the shell tests. What must stay true: every part counts, a part that breaks off counts as a failure, and
 * the last line sums them up. With words after it, only the parts whose name holds one of them.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './root.ts';
import { repositoryFiles } from './tasks/files.ts';
import { type Counts, type Outcome, readSummary, runStep, type Step, sum, summary } from './tasks/steps.ts';
import { tapCounts, vitestCounts } from './tasks/test-counts.ts';

type Part = { step: Step; count: (outcome: Outcome) => Counts | Promise<Counts> };

const node = process.execPath;
const byExit = ({ code }: Outcome): Counts => ({ passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 });
const bySummary = (outcome: Outcome): Counts => readSummary(outcome.output) ?? byExit(outcome);

function vitest(name: string, projects: readonly string[]): Part {
  const report = join(root, '.cache', `vitest-${projects.join('-')}.json`);
  const args = ['run', ...projects.flatMap((project) => ['--project', project]), '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, '--passWithNoTests']; // prettier-ignore
  return {
    step: { name, command: 'vitest', args, env: { CI: 'true' } },
    count: async (outcome) => {
      const text = await readFile(report, 'utf8').catch(() => undefined);
      await rm(report, { force: true });
      return text === undefined ? byExit(outcome) : vitestCounts(text, outcome.code);
    },
  };
}

async function parts(): Promise<Part[]> {
  const bats = (await repositoryFiles()).filter((file) => file.endsWith('.bats'));
  const build: Step = {
    name: 'build of the console',
    command: 'vite',
    args: ['build', '--logLevel', 'warn'],
    cwd: join(root, 'web'),
  };
  const shell: Part = { step: { name: 'shell tests', command: 'bats', args: ['--formatter', 'tap', ...bats] }, count: ({ output, code }) => tapCounts(output, code) }; // prettier-ignore
  return [
    { step: { name: 'checks', command: node, args: ['scripts/src/check.ts'] }, count: bySummary },
    { step: build, count: byExit },
    vitest('unit and component tests', ['unit', 'web']),
    vitest('integration tests', ['int']),
    ...(bats.length > 0 ? [shell] : []),
    vitest('browser tests', ['e2e']),
  ];
}

const wanted = process.argv.slice(2);
const chosen = (await parts()).filter(
  ({ step }) => wanted.length === 0 || wanted.some((word) => step.name.includes(word)),
);
const results: Counts[] = [];
for (const { step, count } of chosen) {
  console.log(`\n== ${step.name}`);
  const outcome = await runStep(step, (text) => process.stdout.write(text));
  const counts = await count(outcome);
  results.push(counts);
  console.log(`── ${step.name}: ${summary(counts)} (${outcome.seconds.toFixed(0)} s)`);
}
const total = sum(results);
console.log(`\n${summary(total)}`);
process.exitCode = total.failed > 0 || chosen.length === 0 ? 1 : 0;
