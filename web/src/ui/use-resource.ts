/** One thing read from the box, with its loading and error states. */
import { ref, shallowRef, type Ref, type ShallowRef } from 'vue';
import { asApiError, type ApiError } from '#api/problem.ts';

export type Resource<T> = {
  data: ShallowRef<T | undefined>;
  error: ShallowRef<ApiError | undefined>;
  loading: Ref<boolean>;
  reload: () => Promise<void>;
};

export function useResource<T>(load: () => Promise<T>): Resource<T> {
  const data = shallowRef<T>();
  const error = shallowRef<ApiError>();
  const loading = ref(false);
  let turn = 0;
  async function reload(): Promise<void> {
    turn += 1;
    const mine = turn;
    loading.value = true;
    try {
      const next = await load();
      if (mine !== turn) return;
      data.value = next;
      error.value = undefined;
    } catch (thrown) {
      if (mine === turn) error.value = asApiError(thrown);
    } finally {
      if (mine === turn) loading.value = false;
    }
  }
  return { data, error, loading, reload };
}
