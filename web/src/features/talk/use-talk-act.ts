/** A call of the engine behind a button: busy while it runs, its failure told in the user's words. */
import type { TalkErrorCode } from '@siphera/talk';
import { ref } from 'vue';
import { useI18n } from 'vue-i18n';
import { asApiError, ApiError } from '#api/problem.ts';
import { toast } from '#ui/toasts.ts';
import { useProblemText } from '#ui/use-problem-text.ts';

/** The code of an error of the engine. By its shape, not its class: it may have come from the engine in another tab. */
function talkCode(thrown: unknown): TalkErrorCode | undefined {
  if (!(thrown instanceof Error) || thrown instanceof ApiError || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? (thrown.code as TalkErrorCode) : undefined;
}

export function useTalkAct() {
  const { t, te } = useI18n();
  const problem = useProblemText();
  const busy = ref(false);

  function wordsOf(thrown: unknown): { title: string; text: string | undefined } {
    const code = talkCode(thrown);
    if (code !== undefined && te(`talk.error.${code}`))
      return { title: t(`talk.error.${code}`), text: thrown instanceof Error ? thrown.message : undefined };
    const error = asApiError(thrown);
    return { title: problem.title(error), text: problem.detail(error) };
  }
  function tell(thrown: unknown): void {
    const { title, text } = wordsOf(thrown);
    toast('danger', title, text);
  }
  /** Runs `act`; true when it went well. */
  async function run(act: () => Promise<unknown>, done?: string): Promise<boolean> {
    if (busy.value) return false;
    busy.value = true;
    try {
      await act();
      if (done !== undefined) toast('ok', done);
      return true;
    } catch (thrown) {
      tell(thrown);
      return false;
    } finally {
      busy.value = false;
    }
  }
  return { busy, run, tell, wordsOf };
}
