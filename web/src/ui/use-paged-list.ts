/**
 * A list read page by page by cursor. A newer question makes the answer of an older one void, so that a slow first search
 * never overwrites the second.
 */
import { ref, shallowRef } from 'vue';
import { asApiError, type ApiError } from '#api/problem.ts';

export type ListPage<T> = { items: T[]; next_cursor?: string | undefined };

export function usePagedList<T>(
  load: (cursor: string | undefined, signal: AbortSignal) => Promise<ListPage<T>>,
) {
  const rows = shallowRef<T[]>([]);
  const error = shallowRef<ApiError>();
  const loading = ref(false);
  const loadingMore = ref(false);
  const cursor = ref<string>();
  let abort = new AbortController();

  async function read(next: string | undefined): Promise<void> {
    abort.abort();
    abort = new AbortController();
    const { signal } = abort;
    try {
      const page = await load(next, signal);
      if (signal.aborted) return;
      rows.value = next === undefined ? page.items : [...rows.value, ...page.items];
      cursor.value = page.next_cursor;
      error.value = undefined;
    } catch (thrown) {
      if (!signal.aborted) error.value = asApiError(thrown);
    } finally {
      if (!signal.aborted) {
        loading.value = false;
        loadingMore.value = false;
      }
    }
  }

  return {
    rows,
    error,
    loading,
    loadingMore,
    hasMore: () => cursor.value !== undefined,
    /** Reads the first page; what is shown stays until it is here. */
    reload: (): Promise<void> => {
      loading.value = true;
      return read(undefined);
    },
    more: (): Promise<void> => {
      if (cursor.value === undefined) return Promise.resolve();
      loadingMore.value = true;
      return read(cursor.value);
    },
    replace: (next: T[]): void => {
      rows.value = next;
    },
  };
}
