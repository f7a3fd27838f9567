/** Who may do what with phones. The plan is of one house: whoever changes it holds the permission on the whole organisation. */
import { isGranted, type Permission } from '@siphera/contract';
import { AppError, type Caller, type CoreOutbox } from '@siphera/runtime';

export const mayOnOrg = ({ claims }: Caller, permission: Permission): boolean =>
  isGranted(claims.grants, permission, [`org:${claims.org}`]);

/** @throws AppError `forbidden` when the caller does not hold the permission on the whole organisation. */
export function requireOnOrg(caller: Caller, permission: Permission): void {
  if (!mayOnOrg(caller, permission))
    throw new AppError('forbidden', `This needs the permission ${permission} on the whole organisation.`);
}

/** The same for something that belongs to an organisation. @throws AppError `not_found` when it is another's. */
export function ownOrNothing<T extends { org_id: string }>(
  { claims }: Caller,
  found: T | undefined,
  what: string,
): T {
  if (found?.org_id !== claims.org) throw new AppError('not_found', `There is no such ${what}.`);
  return found;
}

/** A row of core's audit log. Detail must hold no secret. Call it in the transaction of the change. */
export function auditPlan(
  outbox: Pick<CoreOutbox, 'audit'>,
  { claims }: Caller,
  what: { action: string; target: string; detail: Record<string, unknown> },
): void {
  outbox.audit({
    actor: { kind: claims.kind, id: claims.sub, name: claims.name },
    org_id: claims.org,
    ...what,
  });
}

/** Fields of the input that are not as they were, for the audit log. */
export const changedFields = (before: Record<string, unknown>, now: Record<string, unknown>): string[] =>
  Object.keys(now).filter((key) => JSON.stringify(before[key]) !== JSON.stringify(now[key]));

export const changedMeanwhile = (what: string): AppError =>
  new AppError('conflict', `The ${what} was changed in the meantime.`, {
    hint: 'Load it again and repeat the change.',
  });
