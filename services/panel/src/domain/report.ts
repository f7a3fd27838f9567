/** What a panel reported, whatever protocol it used, and which event type of the contract it becomes. */

/** Kinds of code in the tables. `closed_part` is armed in part (stay, night, perimeter). */
export type Category =
  | 'alarm'
  | 'fire'
  | 'panic'
  | 'duress'
  | 'tamper'
  | 'trouble'
  | 'restored'
  | 'opened'
  | 'closed'
  | 'closed_part'
  | 'opening'
  | 'opening_part'
  | 'test'
  | 'event';

export type Qualifier = 'event' | 'restore' | 'status';

export type Report = {
  type: string;
  code: string;
  codeName: string;
  qualifier: Qualifier;
  partition: string | undefined;
  zone: string | undefined;
  user: string | undefined;
  /** Name the panel itself gives to the zone or user. */
  panelName: string | undefined;
  text: string | undefined;
  /** Account inside the data block, where it differs from the one in the header. */
  dataAccount: string | undefined;
};

const typeOfNew: Record<Category, string> = {
  alarm: 'panel.alarm',
  fire: 'panel.fire',
  panic: 'panel.panic',
  duress: 'panel.duress',
  tamper: 'panel.tamper',
  trouble: 'panel.trouble',
  restored: 'panel.restored',
  opened: 'panel.opened',
  closed: 'panel.closed',
  closed_part: 'panel.closed',
  opening: 'panel.opened',
  opening_part: 'panel.opened',
  test: 'panel.test',
  event: 'panel.event',
};

/** Categories whose restore ends a condition; the restore of an event or a test is just another event. */
const conditions: ReadonlySet<Category> = new Set(['alarm', 'fire', 'panic', 'duress', 'tamper', 'trouble']);

/**
 * The event type of a code. A status report ("still present") of an alarm keeps the alarm's type: should the first
 * report have been lost, the guard still learns of it. Opening and closing share one Contact ID code, told apart by
 * the qualifier; a status report of them says "armed".
 */
export function eventType(category: Category, qualifier: Qualifier): { type: string; qualifier: Qualifier } {
  if (category === 'opening' || category === 'opening_part') {
    if (qualifier === 'event') return { type: 'panel.opened', qualifier };
    return { type: 'panel.closed', qualifier: category === 'opening_part' ? 'status' : 'event' };
  }
  if (category === 'closed_part') return { type: 'panel.closed', qualifier: 'status' };
  if (category === 'closed' || category === 'opened')
    return { type: typeOfNew[category], qualifier: 'event' };
  if (category === 'restored') return { type: 'panel.restored', qualifier: 'restore' };
  if (qualifier === 'restore' && conditions.has(category)) return { type: 'panel.restored', qualifier };
  return { type: typeOfNew[category], qualifier };
}

/** Event types that make a site look safer; a report with an untrusted time must never become one of them. */
export const reassuringTypes: ReadonlySet<string> = new Set([
  'panel.opened',
  'panel.closed',
  'panel.restored',
]);

/** `003` and `3` are the same zone; `000` and `00` mean none. */
export function readNumber(text: string | undefined): string | undefined {
  return text === undefined || /^0*$/.test(text) ? undefined : text;
}
