/** The files of the tree as a reader of the repository sees them: without what is installed, built or cached. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../root.ts';

const skipped = new Set(['node_modules', 'dist', '.git', '.dev', '.bench', '.cache', 'coverage']);

/** Paths below the root, sorted. */
export async function repositoryFiles(folder = ''): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
    if (skipped.has(entry.name)) continue;
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await repositoryFiles(path)));
    else if (entry.isFile()) found.push(path);
  }
  return found.sort();
}
