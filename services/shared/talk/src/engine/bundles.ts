/**
 * Bundles of room keys that have come and are not taken yet. They are written down with the batch that brought them: the library opens such a
 * message once, and nothing else would ever fetch what it names.
 */
import { wordsOf } from './failures.ts';
import type { Ground } from './ground.ts';
import type { Draft } from './store.ts';

/** When a bundle is fetched, after the time before. A file lives longer; after these somebody is asked anew. */
const takeAfterMs = [0, 5_000, 60_000, 600_000, 3_600_000, 6 * 3_600_000] as const;

/** `seen`, `bundle:<room>:<sender>`. `id`: a later one is another. */
type BundleRecord = { id: string; roomId: string; sender: string; tries: number; nextAt: number };

const keyOf = (roomId: string, sender: string): string => `bundle:${roomId}:${sender}`;
const put = (draft: Draft, one: BundleRecord): void =>
  draft.put('seen', keyOf(one.roomId, one.sender), one, `bundle|${one.roomId}|${one.sender}`);

export function noteBundle(ground: Ground, draft: Draft, roomId: string, sender: string): void {
  put(draft, { id: ground.place.randomUuid(), roomId, sender, tries: 0, nextAt: 0 });
}

/** Takes what is due. @param take fetches and imports one; throws when that has to be tried again */
export async function takeBundles(
  ground: Ground,
  take: (roomId: string, sender: string) => Promise<void>,
): Promise<void> {
  const now = ground.place.now();
  const rows = await ground.store.range<BundleRecord>('seen', 'bundle|', 'bundle}');
  for (const { value: one } of rows) {
    // A clock that was set back must not keep anything waiting.
    if (one.nextAt > now && one.nextAt <= now + (takeAfterMs.at(-1) ?? 0)) continue;
    const failed = await take(one.roomId, one.sender).then(
      () => undefined,
      (error: unknown) => error ?? new Error('It failed'),
    );
    if (failed !== undefined)
      ground.place.log('info', 'talk_bundle_later', { room: one.roomId, error: wordsOf(failed) });
    const tries = one.tries + 1;
    await ground.write(async (draft) => {
      const there = await draft.get<BundleRecord>('seen', keyOf(one.roomId, one.sender));
      if (there?.id !== one.id) return;
      if (failed === undefined || tries >= takeAfterMs.length)
        draft.remove('seen', keyOf(one.roomId, one.sender));
      else put(draft, { ...one, tries, nextAt: now + (takeAfterMs[tries] ?? 0) });
    });
  }
}
