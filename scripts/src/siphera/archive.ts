/**
 * The backup archive: a gzipped tar with `manifest.json` first, which names every other file with its SHA-256. Written
 * and read by the system's tar. Must stay true: an archive that does not verify is never put under its final name.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { AppError } from '@siphera/runtime';
import { z } from 'zod';

const run = promisify(execFile);
const manifestName = 'manifest.json';

export const Manifest = z.object({
  format: z.literal(1),
  product: z.literal('siphera'),
  version: z.string(),
  created_at: z.iso.datetime(),
  host_name: z.string(),
  files: z.array(z.object({ path: z.string(), bytes: z.int(), sha256: z.string() })),
});
export type Manifest = z.infer<typeof Manifest>;

/** All regular files below `directory`, by their path in it. */
export function listFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort((a, b) => a.localeCompare(b, 'en'));
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path)) hash.update(part as Buffer);
  return hash.digest('hex');
}

/** Writes the manifest into `directory` and packs it. */
export async function pack(
  directory: string,
  archive: string,
  about: Omit<Manifest, 'format' | 'product' | 'files'>,
): Promise<Manifest> {
  const files: Manifest['files'] = [];
  for (const path of listFiles(directory)) {
    const full = join(directory, path);
    files.push({ path, bytes: statSync(full).size, sha256: await hashFile(full) });
  }
  const manifest: Manifest = { format: 1, product: 'siphera', ...about, files };
  await writeFile(join(directory, manifestName), JSON.stringify(manifest, undefined, 2), { mode: 0o600 });
  const rest = readdirSync(directory).filter((name) => name !== manifestName);
  await run('tar', ['-czf', archive, '-C', directory, manifestName, ...rest]);
  return manifest;
}

/** Unpacks into an empty `directory` and compares every file with the manifest. @throws AppError when one differs. */
export async function unpackVerified(archive: string, directory: string): Promise<Manifest> {
  try {
    await run('tar', ['-xzf', archive, '-C', directory, '--no-same-owner', '--no-same-permissions']);
  } catch (cause) {
    throw new AppError('validation_failed', `${archive} is no readable archive`, { cause });
  }
  const manifest = await readManifest(archive, directory);
  const found = listFiles(directory).filter((path) => path !== manifestName);
  const named = new Map(manifest.files.map((file) => [file.path, file.sha256]));
  const stray = found.find((path) => !named.has(path));
  if (stray !== undefined)
    throw new AppError('validation_failed', `${archive} holds ${stray}, which its manifest does not name`);
  for (const [path, sha256] of named) {
    if (!found.includes(path)) throw new AppError('validation_failed', `${archive} lacks ${path}`);
    if ((await hashFile(join(directory, path))) !== sha256) {
      throw new AppError('validation_failed', `${path} in ${archive} is damaged`);
    }
  }
  return manifest;
}

async function readManifest(archive: string, directory: string): Promise<Manifest> {
  try {
    return Manifest.parse(JSON.parse(await readFile(join(directory, manifestName), 'utf8')));
  } catch (cause) {
    throw new AppError('validation_failed', `${archive} is no backup of a Siphera box`, { cause });
  }
}
