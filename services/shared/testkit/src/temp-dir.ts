/** Directories that live as long as one test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type TempDir = AsyncDisposable & { path: string; remove: () => Promise<void> };

/** A new empty directory, mode 700. Short, because a unix socket's path inside it must stay under 108 bytes. */
export async function tempDir(name = 't'): Promise<TempDir> {
  const path = await mkdtemp(join(tmpdir(), `siphera-${name}-`));
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 3 });
  return { path, remove, [Symbol.asyncDispose]: remove };
}
