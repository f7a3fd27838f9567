/**
 * State of a form that is sent to the box: busy flag, field errors from `problem.errors`, and one message for the rest.
 * The box validates; pages only ask for what is plainly missing.
 */
import { computed, ref, shallowRef } from 'vue';
import { asApiError, type ApiError } from '#api/problem.ts';

export function useForm<R>(send: () => Promise<R>) {
  const busy = ref(false);
  const error = shallowRef<ApiError>();

  /** Sends; returns undefined when it failed (the error is on the form then). */
  async function submit(): Promise<R | undefined> {
    if (busy.value) return undefined;
    busy.value = true;
    error.value = undefined;
    try {
      return await send();
    } catch (thrown) {
      error.value = asApiError(thrown);
      return undefined;
    } finally {
      busy.value = false;
    }
  }

  return {
    busy,
    error,
    submit,
    /** Message of one field, by its path in the body. */
    fieldError: (path: string): string | undefined => error.value?.fieldError(path),
    /** True when the error names no field: show it above the form. */
    general: computed(() => (error.value && !error.value.problem.errors?.length ? error.value : undefined)),
    clear: () => {
      error.value = undefined;
    },
  };
}
