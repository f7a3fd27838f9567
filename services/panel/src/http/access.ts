/** Who may see and change which account. The first statement of each use case asks here; anything not allowed does not exist. */
import { isGranted, type AccessClaims, type Permission } from '@siphera/contract';
import { AppError, type Caller } from '@siphera/runtime';
import type { AccountRow, AccountStore } from '../store/account.store.ts';

/** An account belongs to its site; one that waits is seen by those with the permission on the whole organisation. */
export function mayOnAccount(claims: AccessClaims, permission: Permission, row: AccountRow): boolean {
  if (row.org_id !== null && row.org_id !== claims.org) return false;
  const scopes = [
    `org:${claims.org}`,
    ...(row.org_id !== null && row.site_id !== null ? [`site:${row.site_id}`] : []),
  ];
  return isGranted(claims.grants, permission, scopes);
}

/** @throws AppError `not_found` when it is not there or not the caller's to see, `forbidden` when it may be read only. */
export function accountFor(
  accounts: AccountStore,
  caller: Caller,
  permission: 'panel.read' | 'panel.manage',
  id: string,
): AccountRow {
  const row = accounts.get(id);
  if (!row || !mayOnAccount(caller.claims, 'panel.read', row))
    throw new AppError('not_found', 'There is no such account.');
  if (!mayOnAccount(caller.claims, permission, row)) {
    throw new AppError('forbidden', `This needs the permission ${permission} on the account's site.`);
  }
  return row;
}

/** @throws AppError `forbidden`. */
export function requireOnSite(caller: Caller, permission: Permission, siteId: string): void {
  const scopes = [`org:${caller.claims.org}`, `site:${siteId}`];
  if (!isGranted(caller.claims.grants, permission, scopes)) {
    throw new AppError('forbidden', `This needs the permission ${permission} on that site.`);
  }
}
