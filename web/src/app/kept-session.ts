/** Who is signed in, kept for a start without the box. Loaded when needed: a console that is never offline pays nothing for it. */

type Kept = { me: unknown };
const key = 'session';

const database = async () => {
  const { openOfflineDb } = await import('#features/offline/offline-db.ts');
  return openOfflineDb();
};

export async function keepMe(me: unknown): Promise<void> {
  if (typeof indexedDB === 'undefined') return;
  const db = await database();
  const plain: unknown = JSON.parse(JSON.stringify(me));
  await db.put('kept', { me: plain, incidents: [], feedSeq: 0, at: 0 }, key);
  db.close();
}

export async function readKeptMe(): Promise<unknown> {
  if (typeof indexedDB === 'undefined') return undefined;
  const db = await database();
  const kept: Kept | undefined = await db.get('kept', key);
  db.close();
  return kept?.me;
}
