/** Calls that go on now, read every two seconds while somebody looks. */
import { onBeforeUnmount, onMounted, ref, shallowRef } from 'vue';
import { api, type Item } from '#api/client.ts';
import { asApiError, type ApiError } from '#api/problem.ts';

export type BoardCall = Item<'listLiveCalls'>;
const everyMs = 2_000;

export function useBoard() {
  const calls = shallowRef<readonly BoardCall[]>([]);
  const error = shallowRef<ApiError>();
  const isRead = ref(false);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;

  async function read(): Promise<void> {
    clearTimeout(timer);
    if (!document.hidden) {
      try {
        calls.value = (await api('listLiveCalls')).items;
        error.value = undefined;
      } catch (thrown) {
        error.value = asApiError(thrown);
      }
      isRead.value = true;
    }
    if (!stopped) timer = setTimeout(() => void read(), everyMs);
  }
  onMounted(() => void read());
  onBeforeUnmount(() => {
    stopped = true;
    clearTimeout(timer);
  });
  return { calls, error, isRead, reload: read };
}
