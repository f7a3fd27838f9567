/** Who may see what of emergency calls and their places. What may not be seen does not exist; changes are for plan-access.ts. */
import { isGranted } from '@siphera/contract';
import type { Caller } from '@siphera/runtime';
import type { Ground } from '../ground.ts';

/** Whether the caller may see what lies in these places: of his organisation, by a role on it, on the site or on an area. */
export function maySee(
  { claims }: Caller,
  places: Ground['places'],
  thing: { org_id: string | null; site_id: string | null; area_ids: readonly string[] },
): boolean {
  // Before core ever said which organisation there is, a call has none; the box has one.
  if (thing.org_id !== null && thing.org_id !== claims.org) return false;
  const scopes = [
    `org:${claims.org}`,
    ...(thing.site_id === null ? [] : [`site:${thing.site_id}`]),
    ...thing.area_ids.flatMap((id) => places.area(id)?.scopes ?? []),
  ];
  return isGranted(claims.grants, 'phone.read', scopes);
}
