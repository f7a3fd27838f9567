/** What people keep who are deleted: nobody can open it any more, so it goes, in slices. Their files go with their time. */
import type { Sqlite } from '@siphera/runtime';
import type { ArchiveStore } from '../../store/archive.store.ts';
import type { BackupStore } from '../../store/backup.store.ts';
import type { SecretStore } from '../../store/secret.store.ts';

/** Rows in one transaction. */
const rowsMax = 500;

export type Kept = { db: Sqlite; archive: ArchiveStore; backups: BackupStore; secrets: SecretStore };

export function forgetPeople({ db, secrets }: Kept, userIds: readonly string[]): void {
  if (userIds.length === 0) return;
  db.transaction(() => {
    for (const userId of userIds) secrets.forget(userId);
  }).immediate();
}

/** One slice of what is left of the deleted, and of backups that have ended. @returns whether there is more. */
export function sweepKept({ db, archive, backups, secrets }: Kept): boolean {
  const userId = secrets.forgotten();
  if (userId === undefined) return backups.prune(rowsMax) === rowsMax;
  db.transaction(() => {
    if (archive.forget(userId, rowsMax) === rowsMax) return;
    if (backups.forget(userId, rowsMax) === rowsMax) return;
    secrets.setForgotten(userId);
  }).immediate();
  return true;
}
