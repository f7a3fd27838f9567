/** The newest page of a conversation laid over what was read before. Pure. */
import type { Message } from '@siphera/talk';

/**
 * Order is that of the page, because a message that waited moves when it is sent.
 * @returns `overlaps` false when the page has nothing of what was there: what lies between is not known then, and the page
 * stands alone
 */
export function mergeNewest(
  before: readonly Message[],
  page: readonly Message[],
): { items: Message[]; overlaps: boolean } {
  const inPage = new Set(page.map((message) => message.id));
  const meet = before.findIndex((message) => inPage.has(message.id));
  if (before.length === 0 || page.length === 0 || meet < 0) return { items: [...page], overlaps: false };
  return { items: [...before.slice(0, meet), ...page], overlaps: true };
}
