/**
 * `npm run check`: every static check that CI does, two at a time. With words after it, only the steps whose name holds
 * one of them: `npm run check -- types eslint`.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.ts';
import { repositoryFiles } from './tasks/files.ts';
import { runSteps, type Step, summary } from './tasks/steps.ts';
import { workspaces } from './tasks/workspaces.ts';

/** The smallest supported machine has two cores. */
const atOnce = 2;

async function steps(): Promise<Step[]> {
  const files = await repositoryFiles();
  const shell = files.filter(isShell);
  const bats = files.filter((file) => file.endsWith('.bats'));
  return [
    // The longest first, so that the short ones fill the other core.
    eslint('services', ['services']),
    eslint('the rest', ['.', '--ignore-pattern', 'services/']),
    ...workspaces().map(typeCheck),
    // Runs beside the page, in a worker: other types.
    { name: 'types web/sw', command: 'tsc', args: ['--noEmit', '-p', 'web/sw'] },
    { name: 'types root', command: 'tsc', args: ['-p', 'tsconfig.json'] },
    { name: 'generated files', command: 'node', args: ['scripts/src/generate.ts', '--check'] },
    {
      name: 'walls (dependency-cruiser)',
      command: 'depcruise',
      args: ['--config', '.dependency-cruiser.mjs', ...codeFolders()],
    },
    { name: 'dead code (knip)', command: 'knip', args: ['--no-progress', '--no-config-hints'] },
    { name: 'format (prettier)', command: 'prettier', args: ['--check', '--cache', '--cache-location', '.cache/prettier', '--log-level', 'warn', '.'] }, // prettier-ignore
    { name: 'shellcheck', command: 'shellcheck', args: ['--severity=style', ...shell, ...bats] },
    { name: 'shfmt', command: 'shfmt', args: ['-d', '-i', '2', '-ci', ...shell] },
    {
      name: 'tidy',
      command: 'vitest',
      args: ['run', '--project', 'unit', 'scripts/src/tidy', '--reporter', 'dot'],
    },
  ];
}

/** Reading the types is most of it, and that is done alone by each: two halves take both cores. */
const eslint = (name: string, what: readonly string[]): Step => ({
  name: `eslint ${name}`,
  command: 'eslint',
  args: [...what, '--cache', '--cache-location', `.cache/eslint-${name.replaceAll(' ', '-')}/`, '--cache-strategy', 'content', '--max-warnings', '0'], // prettier-ignore
});

/** By its name, or, without one, by its first line. */
function isShell(file: string): boolean {
  if (/\.(sh|bash)$/.test(file)) return true;
  return (
    !/\.\w+$/.test(file) &&
    /^#!\/(usr\/)?bin\/(env )?(ba)?sh\b/.test(readFileSync(join(root, file), 'utf8').slice(0, 64))
  );
}

const typeCheck = (folder: string): Step => ({
  name: `types ${folder}`,
  command: folder === 'web' ? 'vue-tsc' : 'tsc',
  args: ['--noEmit', '-p', folder],
});

const codeFolders = (): string[] =>
  globSync(['services', 'web', 'desktop', 'firmware-agent', 'scripts', 'e2e'], { cwd: root });

const wanted = process.argv.slice(2);
const all = await steps();
const chosen =
  wanted.length === 0 ? all : all.filter(({ name }) => wanted.some((word) => name.includes(word)));
const counts = await runSteps(chosen, atOnce);
console.log(`\n${summary(counts)}`);
if (counts.failed > 0 || chosen.length === 0) process.exitCode = 1;
