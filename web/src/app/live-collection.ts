/**
 * A list that was read once and then follows the feed. What must stay true: nothing between the reading and the feed is
 * lost (entries are kept while reading, then those after `feed_seq` applied), an older revision never replaces a newer one,
 * and after a gap everything is read again.
 */
import type { FeedEntry, FeedKind } from '@siphera/contract';
import { computed, ref, shallowRef, triggerRef, type ComputedRef, type Ref } from 'vue';
import { asApiError, type ApiError } from '#api/problem.ts';

type Row = { id: string; revision?: number };
export type Snapshot<T> = { items: T[]; feed_seq: number };
export type FeedSource = {
  on(kind: FeedKind, listener: (entries: readonly FeedEntry[]) => void): () => void;
  onGap(listener: () => void): () => void;
  noteSnapshot(feedSeq: number): void;
};
export type LiveOptions<T extends Row> = {
  kind: FeedKind;
  feed: FeedSource;
  load: () => Promise<Snapshot<T>>;
  /** Rows beyond this are dropped, oldest update first: the page must stay quick through a long storm. */
  rowsMax: number;
};
export type LiveCollection<T extends Row> = {
  byId: Readonly<Ref<ReadonlyMap<string, T>>>;
  items: ComputedRef<T[]>;
  state: Ref<'idle' | 'loading' | 'ready' | 'error'>;
  error: Ref<ApiError | undefined>;
  /** Reads once and follows; later calls return at once. */
  ensure(): Promise<void>;
  reload(): Promise<void>;
  /** Puts in what an act answered, before the feed brings it. */
  put(row: T): void;
  stop(): void;
};

export function createLiveCollection<T extends Row>(options: LiveOptions<T>): LiveCollection<T> {
  const byId = shallowRef(new Map<string, T>());
  const state = ref<'idle' | 'loading' | 'ready' | 'error'>('idle');
  const error = shallowRef<ApiError>();
  let held: FeedEntry[] | undefined;
  let stops: (() => void)[] = [];
  let loading: Promise<void> | undefined;

  const isOlder = (row: T): boolean => (row.revision ?? 0) < (byId.value.get(row.id)?.revision ?? 0);

  function apply(entries: readonly FeedEntry[]): void {
    for (const entry of entries) {
      if (entry.action === 'deleted') byId.value.delete(entry.id);
      else if (entry.data !== undefined && !isOlder(entry.data as T)) set(entry.data as T);
    }
    triggerRef(byId);
  }

  function set(row: T): void {
    byId.value.delete(row.id);
    byId.value.set(row.id, row);
    if (byId.value.size <= options.rowsMax) return;
    const oldest = byId.value.keys().next().value;
    if (oldest !== undefined) byId.value.delete(oldest);
  }

  async function read(): Promise<void> {
    held = [];
    if (state.value !== 'ready') state.value = 'loading';
    try {
      const snapshot = await options.load();
      options.feed.noteSnapshot(snapshot.feed_seq);
      byId.value = new Map(snapshot.items.map((row) => [row.id, row]));
      const missed = held.filter((entry) => entry.seq > snapshot.feed_seq);
      held = undefined;
      apply(missed);
      state.value = 'ready';
      error.value = undefined;
    } catch (thrown) {
      held = undefined;
      error.value = asApiError(thrown);
      if (byId.value.size === 0) state.value = 'error';
    }
  }

  function reload(): Promise<void> {
    loading ??= read().finally(() => {
      loading = undefined;
    });
    return loading;
  }

  async function ensure(): Promise<void> {
    if (stops.length === 0) {
      stops = [
        options.feed.on(options.kind, (entries) => (held ? held.push(...entries) : apply(entries))),
        options.feed.onGap(() => void reload()),
      ];
    }
    if (state.value === 'idle' || state.value === 'error') await reload();
    else await loading;
  }

  return {
    byId,
    items: computed(() => [...byId.value.values()]),
    state,
    error,
    ensure,
    reload,
    put: (row) => {
      if (isOlder(row)) return;
      set(row);
      triggerRef(byId);
    },
    stop: () => {
      for (const stop of stops) stop();
      stops = [];
      byId.value = new Map();
      state.value = 'idle';
    },
  };
}
