/**
 * `npm run generate`: writes every file that is made from code. With `--check` it writes nothing, names the files that
 * would change, and ends with 1. What must stay true: the same tree always gives the same bytes.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './root.ts';
import { generatedFiles } from './generate/outputs.ts';

/** Generated files, by their path below the root, that are not as they should be. */
async function staleFiles(): Promise<{ path: string; content: string }[]> {
  const files = await generatedFiles();
  const current = await Promise.all(files.map(({ path }) => readIfThere(join(root, path))));
  return files.filter((file, index) => current[index] !== file.content);
}

const readIfThere = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });

async function main(): Promise<void> {
  const stale = await staleFiles();
  if (!process.argv.includes('--check')) {
    for (const { path, content } of stale) {
      await writeFile(join(root, path), content);
      console.log(`wrote ${path}`);
    }
    return;
  }
  for (const { path } of stale) console.error(`${path} is not what the code says; run: npm run generate`);
  if (stale.length > 0) process.exitCode = 1;
}

if (import.meta.main) await main();
