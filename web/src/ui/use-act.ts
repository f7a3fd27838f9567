/** One call behind a button: busy while it runs, its failure told in the corner in the user's words. */
import { ref } from 'vue';
import { asApiError } from '#api/problem.ts';
import { toast } from '#ui/toasts.ts';
import { useProblemText } from '#ui/use-problem-text.ts';

export function useAct() {
  const problem = useProblemText();
  const busy = ref(false);

  /** Runs `act`; true when it went well. `done` is said then. */
  async function run(act: () => Promise<unknown>, done?: string): Promise<boolean> {
    if (busy.value) return false;
    busy.value = true;
    try {
      await act();
      if (done !== undefined) toast('ok', done);
      return true;
    } catch (thrown) {
      const error = asApiError(thrown);
      toast('danger', problem.title(error), problem.detail(error));
      return false;
    } finally {
      busy.value = false;
    }
  }
  return { busy, run };
}
