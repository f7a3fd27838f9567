/** Events of our own about an account whose reports cannot be read. */
import type { IncomingEvent } from '@siphera/contract';
import { toRfc3339 } from '@siphera/runtime';
import type { Account } from './account.ts';
import { eventSource, scopeOf } from './panel-event.ts';

export type UnreadableReason = 'no_key' | 'not_decipherable' | 'encryption_required';

const texts: Record<UnreadableReason, string> = {
  no_key: 'The panel sends encrypted reports, but no key is set for its account. They cannot be read.',
  not_decipherable: 'The key of the account does not fit: encrypted reports of the panel cannot be read.',
  encryption_required:
    'A report came unencrypted, although this account must encrypt. It was refused: it may not be from the panel.',
};

export function troubleEvent(
  account: Account,
  reason: UnreadableReason,
  stamp: { id: string; nowMs: number; traceparent: string },
): IncomingEvent {
  return {
    specversion: '1.0',
    id: stamp.id,
    source: eventSource(account.account),
    type: 'panel.trouble',
    time: toRfc3339(stamp.nowMs),
    datacontenttype: 'application/json',
    traceparent: stamp.traceparent,
    ...(account.deviceId ? { subject: account.deviceId } : {}),
    ...(account.areaId ? { areaid: account.areaId } : {}),
    ...scopeOf(account),
    data: {
      account: account.account,
      panel_name: account.name,
      code: '?',
      code_name: 'Reports of this panel cannot be read',
      qualifier: 'event',
      protocol: 'OTHER',
      text: texts[reason],
      reason,
    },
  };
}
