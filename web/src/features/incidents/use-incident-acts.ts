/** Acts on incidents with their messages: who was first is told by name, every other failure in words. */
import { ref } from 'vue';
import { useI18n } from 'vue-i18n';
import { asApiError, type ApiError } from '#api/problem.ts';
import { boxTime } from '#app/clock.ts';
import { useIncidents } from '#features/incidents/incidents.store.ts';
import { ago } from '#ui/time-format.ts';
import { toast } from '#ui/toasts.ts';
import { useProblemText } from '#ui/use-problem-text.ts';

/** The name in the extras of an `already_done` problem. */
export function winnerOf(error: ApiError): { name: string; at: string | undefined } | undefined {
  if (error.code !== 'already_done') return undefined;
  const { by, at } = error.problem as { by?: unknown; at?: unknown };
  const name = typeof by === 'string' ? by : (by as { name?: unknown } | undefined)?.name;
  if (typeof name !== 'string') return undefined;
  return { name, at: typeof at === 'string' ? at : undefined };
}

/** Two hands on the same alarm are seconds apart; counting them helps nobody. */
const justNowMs = 10_000;

export function useIncidentActs() {
  const { t, locale } = useI18n();
  const incidents = useIncidents();
  const problem = useProblemText();
  /** Ids with an act under way. */
  const busy = ref<ReadonlySet<string>>(new Set());

  function tell(error: ApiError): void {
    const winner = winnerOf(error);
    if (error.problem['transcript_required'] === true) {
      toast('info', t('incidents.talkFirst.title'), t('incidents.talkFirst.text'));
      return;
    }
    if (!winner) {
      toast('danger', problem.title(error), problem.detail(error));
      return;
    }
    const age = winner.at ? boxTime() - Date.parse(winner.at) : 0;
    const when = age < justNowMs ? t('incidents.first.justNow') : ago(age, locale.value);
    toast('info', t('incidents.first.title', { name: winner.name }), t('incidents.first.text', { when }));
  }

  /** Runs one act; true when it was done. A second one on the same incident waits for the first. */
  async function run(id: string, act: () => Promise<unknown>, done?: string): Promise<boolean> {
    if (busy.value.has(id)) return false;
    busy.value = new Set([...busy.value, id]);
    try {
      await act();
      if (done) toast('ok', done);
      return true;
    } catch (thrown) {
      tell(asApiError(thrown));
      return false;
    } finally {
      busy.value = new Set([...busy.value].filter((other) => other !== id));
    }
  }

  return {
    busy,
    run,
    tell,
    acknowledge: (id: string) => run(id, () => incidents.acknowledge(id)),
    close: (id: string) => run(id, () => incidents.close(id), t('incidents.done.closed')),
    tick: (id: string, index: number, done: boolean) => run(id, () => incidents.tick(id, index, done)),
  };
}
