import type { FeedEntry } from '@siphera/contract';
import { describe, expect, it } from 'vitest';
import { createLiveCollection, type Snapshot } from './live-collection.ts';

type Row = { id: string; revision: number; text: string };
const row = (id: string, revision: number, text = ''): Row => ({ id, revision, text });

function makeWorld(options: { rowsMax?: number } = {}) {
  let feed: (entries: readonly FeedEntry[]) => void = () => undefined;
  let gap: () => void = () => undefined;
  const snapshots: ((snapshot: Snapshot<Row> | Error) => void)[] = [];
  const noted: number[] = [];
  const collection = createLiveCollection<Row>({
    kind: 'device',
    rowsMax: options.rowsMax ?? 100,
    load: () =>
      new Promise((resolve, reject) => {
        snapshots.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer)));
      }),
    feed: {
      on: (_kind, listener) => {
        feed = listener;
        return () => undefined;
      },
      onGap: (listener) => {
        gap = listener;
        return () => undefined;
      },
      noteSnapshot: (seq) => noted.push(seq),
    },
  });
  const entry = (seq: number, data: Row, action: FeedEntry['action'] = 'updated'): FeedEntry => ({
    seq,
    at: '',
    kind: 'device',
    action,
    id: data.id,
    audience: 'registry.read',
    scopes: [],
    data,
  });
  return {
    collection,
    snapshots,
    noted,
    entry,
    feed: (...entries: FeedEntry[]) => feed(entries),
    gap: () => gap(),
  };
}

describe('a live collection', () => {
  it('applies what came while the snapshot was read, and only what is newer than it', async () => {
    const { collection, snapshots, noted, entry, feed } = makeWorld();
    const ready = collection.ensure();
    feed(entry(9, row('a', 1, 'before')), entry(11, row('b', 2, 'after')));
    snapshots[0]?.({ items: [row('a', 2, 'read'), row('b', 1, 'read')], feed_seq: 10 });
    await ready;
    expect(collection.items.value.map((one) => one.text).sort()).toEqual(['after', 'read']);
    expect(noted).toEqual([10]);
  });

  it('never goes back to an older revision', async () => {
    const { collection, snapshots, entry, feed } = makeWorld();
    const ready = collection.ensure();
    snapshots[0]?.({ items: [row('a', 5, 'new')], feed_seq: 10 });
    await ready;
    feed(entry(11, row('a', 4, 'stale')));
    collection.put(row('a', 3, 'older'));
    expect(collection.items.value[0]?.text).toBe('new');
    feed(entry(12, row('a', 6, 'newer')));
    expect(collection.items.value[0]?.text).toBe('newer');
  });

  it('forgets what was deleted', async () => {
    const { collection, snapshots, entry, feed } = makeWorld();
    const ready = collection.ensure();
    snapshots[0]?.({ items: [row('a', 1)], feed_seq: 1 });
    await ready;
    feed(entry(2, row('a', 1), 'deleted'));
    expect(collection.items.value).toEqual([]);
  });

  it('reads everything again after a gap, and keeps showing what it had', async () => {
    const { collection, snapshots, gap } = makeWorld();
    const ready = collection.ensure();
    snapshots[0]?.({ items: [row('a', 1)], feed_seq: 1 });
    await ready;
    gap();
    expect(collection.state.value).toBe('ready');
    expect(collection.items.value).toHaveLength(1);
    snapshots[1]?.({ items: [row('a', 1), row('b', 1)], feed_seq: 50 });
    await collection.reload();
    expect(collection.items.value).toHaveLength(2);
  });

  it('says that it could not read, and tries again when asked', async () => {
    const { collection, snapshots } = makeWorld();
    const failed = collection.ensure();
    snapshots[0]?.(new Error('no answer'));
    await failed;
    expect(collection.state.value).toBe('error');
    const again = collection.ensure();
    snapshots[1]?.({ items: [], feed_seq: 1 });
    await again;
    expect(collection.state.value).toBe('ready');
  });

  it('holds no more rows than its bound', async () => {
    const { collection, snapshots, entry, feed } = makeWorld({ rowsMax: 3 });
    const ready = collection.ensure();
    snapshots[0]?.({ items: [row('a', 1), row('b', 1), row('c', 1)], feed_seq: 1 });
    await ready;
    feed(entry(2, row('d', 1)), entry(3, row('e', 1)));
    expect(collection.items.value.map((one) => one.id)).toEqual(['c', 'd', 'e']);
  });
});
