/** The open incidents as last seen, kept in this browser for a start without the box. */
import { openOfflineDb } from '#features/offline/offline-db.ts';
import type { Snapshot } from '#app/live-collection.ts';
import type { Incident } from '#features/incidents/incidents.store.ts';

const key = 'incidents';
/** What a phone can show; the newest are the last. */
const rowsMax = 500;

export async function keepIncidents({ items, feed_seq }: Snapshot<Incident>, at: number): Promise<void> {
  if (typeof indexedDB === 'undefined') return;
  const db = await openOfflineDb();
  const incidents = JSON.parse(JSON.stringify(items.slice(-rowsMax))) as unknown[];
  await db.put('kept', { me: null, incidents, feedSeq: feed_seq, at }, key);
  db.close();
}

export async function readKeptIncidents(): Promise<Snapshot<Incident> | undefined> {
  if (typeof indexedDB === 'undefined') return undefined;
  const db = await openOfflineDb();
  const kept = await db.get('kept', key);
  db.close();
  return kept && { items: kept.incidents as Incident[], feed_seq: kept.feedSeq };
}
