/**
 * Reading a service's database from outside of it. Must stay true: whatever we leave beside the file (`-wal`, `-shm`)
 * belongs to the service's user, else it could not open its own database again.
 */
import { chownSync, existsSync, statSync } from 'node:fs';
import { openDatabase, type Sqlite } from '@siphera/runtime';

export type OpenFile = Disposable & { db: Sqlite };

export function openCopySafely(file: string): OpenFile {
  const { uid, gid } = statSync(file);
  const db = openDatabase(file, { readonly: true });
  const giveBack = (): void => {
    if (process.getuid?.() !== 0) return;
    for (const path of [`${file}-wal`, `${file}-shm`]) if (existsSync(path)) chownSync(path, uid, gid);
  };
  giveBack();
  return {
    db,
    [Symbol.dispose]: () => {
      db.close();
      giveBack();
    },
  };
}

/**
 * A consistent copy in one read transaction: unlike the page-by-page backup API it never starts again while core writes.
 * Verified before anyone relies on it.
 */
export function copyDatabase(from: string, to: string): void {
  {
    using open = openCopySafely(from);
    open.db.prepare('VACUUM INTO ?').run(to);
  }
  checkDatabase(to);
}

/** @throws Error when SQLite finds anything wrong with the file. */
export function checkDatabase(file: string): void {
  using open = openCopySafely(file);
  const verdict = open.db.pragma('integrity_check(1)', { simple: true });
  if (verdict !== 'ok') throw new Error(`${file} is damaged: ${String(verdict)}`);
}
