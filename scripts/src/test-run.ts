/**
 * The second half of `npm test`, once Node and the packages are there: checks, the console's build, unit, integration and
 * browser tests, the shell tests. What must stay true: every part counts, a part that breaks off counts as a failure, what
 * failed is named once more at the end, and the last line sums all up. With words after it, only the parts whose name holds
 * one of them.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './root.ts';
import { repositoryFiles } from './tasks/files.ts';
import { type Counts, type Outcome, readSummary, runStep, type Step, sum, summary } from './tasks/steps.ts';
import { tapCounts, vitestCounts } from './tasks/test-counts.ts';
import { type Failure, failureList, partFailure, stepFailures, tapFailures, vitestFailures } from './tasks/test-failures.ts'; // prettier-ignore

type Read = { counts: Counts; failures: readonly Failure[] };
type Part = { step: Step; read: (outcome: Outcome) => Read | Promise<Read> };

const node = process.execPath;
const byExit = ({ code }: Outcome): Read => ({
  counts: { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 },
  failures: [],
});
function bySummary(outcome: Outcome): Read {
  const counts = readSummary(outcome.output);
  return counts ? { counts, failures: stepFailures(outcome.output) } : byExit(outcome);
}

function vitest(name: string, projects: readonly string[], more: readonly string[] = []): Part {
  const report = join(root, '.cache', `vitest-${projects.join('-')}.json`);
  const args = ['run', ...projects.flatMap((project) => ['--project', project]), '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, '--passWithNoTests', ...more]; // prettier-ignore
  return {
    step: { name, command: 'vitest', args, env: { CI: 'true' } },
    read: async (outcome) => {
      const text = await readFile(report, 'utf8').catch(() => undefined);
      await rm(report, { force: true });
      if (text === undefined) return byExit(outcome);
      return { counts: vitestCounts(text, outcome.code), failures: vitestFailures(text, outcome.output) };
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
  const shell: Part = {
    step: { name: 'shell tests', command: 'bats', args: ['--formatter', 'tap', ...bats] },
    read: ({ output, code }) => ({ counts: tapCounts(output, code), failures: tapFailures(output) }),
  };
  return [
    { step: { name: 'checks', command: node, args: ['scripts/src/check.ts'] }, read: bySummary },
    { step: build, read: byExit },
    vitest('unit and component tests', ['unit', 'web']),
    // They wait for daemons most of the time: three files at once keep two cores busy, and none of them waits for the other long.
    vitest('integration tests', ['int'], ['--maxWorkers=3']),
    ...(bats.length > 0 ? [shell] : []),
    vitest('browser tests', ['e2e']),
  ];
}

const wanted = process.argv.slice(2);
const chosen = (await parts()).filter(
  ({ step }) => wanted.length === 0 || wanted.some((word) => step.name.includes(word)),
);
const results: Counts[] = [];
const failures: Failure[] = [];
for (const { step, read } of chosen) {
  console.log(`\n== ${step.name}`);
  const outcome = await runStep(step, (text) => process.stdout.write(text));
  const { counts, failures: named } = await read(outcome);
  results.push(counts);
  failures.push(...named);
  if (counts.failed > 0 && named.length === 0) failures.push(partFailure(step.name, outcome));
  console.log(`── ${step.name}: ${summary(counts)} (${outcome.seconds.toFixed(0)} s)`);
}
const total = sum(results);
console.log(`\n${failureList(failures)}${summary(total)}`);
process.exitCode = total.failed > 0 || chosen.length === 0 ? 1 : 0;
