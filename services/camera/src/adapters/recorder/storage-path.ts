/** Where an admin may put a storage: below the allowed roots, symbolic links followed, and neither inside nor around another. */
import { realpath } from 'node:fs/promises';
import { dirname, normalize, resolve } from 'node:path';
import { AppError } from '@siphera/runtime';
import { errorCode } from './files.ts';

const isBelow = (path: string, root: string): boolean => path === root || path.startsWith(`${root}/`);

/** @throws AppError `validation_failed` or `conflict`. @returns the path as it is. */
export async function checkStoragePath(
  path: string,
  roots: readonly string[],
  taken: readonly string[],
): Promise<string> {
  const wanted = normalize(path).replace(/\/+$/, '');
  if (wanted !== resolve(path) || wanted === '')
    throw new AppError('validation_failed', 'The path must be absolute and without "..".');
  const real = await realPathOf(wanted);
  const allowed = await Promise.all(roots.map(realPathOf));
  // A root itself is a mount point of something else more often than an empty directory.
  if (!allowed.some((root) => isBelow(real, root) && real !== root))
    throw new AppError('validation_failed', `Storages lie below ${roots.join(', ')}.`, {
      hint: 'Choose a directory there, or change STORAGE_ROOTS on the box.',
    });
  const others = await Promise.all(taken.map(realPathOf));
  if (others.some((other) => isBelow(real, other) || isBelow(other, real)))
    throw new AppError('conflict', 'There is a storage in or around this directory already.');
  return wanted;
}

/** Of what exists of it; the rest as it stands. */
async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' && errorCode(error) !== 'ENOTDIR')
      throw new AppError('validation_failed', `${path} cannot be looked at.`, { cause: error });
    const parent = dirname(path);
    const real = parent === path ? parent : await realPathOf(parent);
    return `${real === '/' ? '' : real}${path.slice(parent === '/' ? 0 : parent.length)}`;
  }
}
