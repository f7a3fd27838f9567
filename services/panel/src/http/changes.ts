/** Every change over REST: in one transaction with its audit row, then made known to memory. */
import { AppError, type Caller, type Sqlite } from '@siphera/runtime';
import type { AccountStore } from '../store/account.store.ts';
import type { AuditStore } from '../store/audit.store.ts';

export type Changes = {
  /** Runs `change` and notes in the audit that the caller did `action`. Detail must hold no secret. */
  apply(
    caller: Caller,
    what: { action: string; account: string; detail: Record<string, unknown> },
    change: () => void,
  ): void;
};

export function createChanges(parts: {
  db: Sqlite;
  accounts: AccountStore;
  audit: AuditStore;
  auditAdded: () => void;
}): Changes {
  return {
    apply({ claims }, { action, account, detail }, change) {
      const transaction = parts.db.transaction(() => {
        change();
        parts.audit.add({
          actor: { kind: claims.kind, id: claims.sub, name: claims.name },
          org_id: claims.org,
          action,
          target: `panel_account:${account}`,
          detail,
        });
      });
      try {
        transaction.immediate();
      } catch (cause) {
        if ((cause as { code?: string }).code !== 'SQLITE_FULL') throw cause;
        throw new AppError('disk_full', 'The change was not stored.', { cause });
      }
      parts.accounts.refresh(account);
      parts.auditAdded();
    },
  };
}
