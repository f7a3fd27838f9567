/** What happened on each camera in the window that is seen; read again when it moves, and now and then for what is new. */
import { onBeforeUnmount, ref, shallowRef, watch, type Ref } from 'vue';
import { api, type Result } from '#api/client.ts';
import { asApiError, type ApiError } from '#api/problem.ts';
import { boxTime } from '#app/clock.ts';
import { lengthOf, lengthMax, type Window } from '#features/playback/timeline-math.ts';

type Raw = Result<'getCameraTimeline'>;
export type Happened = { at: number; type: string; title: string };
export type Timeline = {
  footage: Window[];
  motion: Window[];
  gaps: (Window & { why: string })[];
  locked: Window[];
  events: Happened[];
  first: number | undefined;
  last: number | undefined;
};

const settleMs = 250;
const refreshMs = 6_000;

const span = <T extends { from: string; to: string }>(row: T) => ({
  ...row,
  from: Date.parse(row.from),
  to: Date.parse(row.to),
});
const parse = (raw: Raw): Timeline => ({
  footage: raw.footage.map(span),
  motion: raw.motion.map(span),
  gaps: raw.gaps.map(span),
  locked: raw.locked.map(span),
  events: raw.events.map((one) => ({ ...one, at: Date.parse(one.at) })),
  first: raw.first_at === undefined ? undefined : Date.parse(raw.first_at),
  last: raw.last_at === undefined ? undefined : Date.parse(raw.last_at),
});

export function useTimelines(cameraIds: Ref<readonly string[]>, window: Ref<Window>) {
  const byCamera = shallowRef(new Map<string, Timeline>());
  const error = shallowRef<ApiError>();
  const loaded = ref(false);
  let read: Window | undefined;
  let turn = 0;

  async function reload(): Promise<void> {
    turn += 1;
    const mine = turn;
    const length = Math.min(lengthMax, lengthOf(window.value) * 2);
    const middle = (window.value.from + window.value.to) / 2;
    const wanted = { from: middle - length / 2, to: middle + length / 2 };
    const query = { from: new Date(wanted.from).toISOString(), to: new Date(wanted.to).toISOString() };
    try {
      const rows = await Promise.all(
        cameraIds.value.map(
          async (id) => [id, parse(await api('getCameraTimeline', { params: { id }, query }))] as const,
        ),
      );
      if (mine !== turn) return;
      byCamera.value = new Map(rows);
      read = wanted;
      error.value = undefined;
      loaded.value = true;
    } catch (thrown) {
      if (mine === turn) error.value = asApiError(thrown);
    }
  }

  let settle: ReturnType<typeof setTimeout> | undefined;
  const isInside = (): boolean =>
    read !== undefined &&
    window.value.from >= read.from &&
    window.value.to <= read.to &&
    lengthOf(window.value) > lengthOf(read) / 6;
  watch(
    window,
    () => {
      if (isInside()) return;
      clearTimeout(settle);
      settle = setTimeout(() => void reload(), settleMs);
    },
    { deep: true },
  );
  watch(cameraIds, () => void reload(), { immediate: true });
  const timer = setInterval(() => {
    // Only what reaches to now can have changed.
    if (!document.hidden && window.value.to > boxTime() - refreshMs * 2) void reload();
  }, refreshMs);
  onBeforeUnmount(() => {
    clearTimeout(settle);
    clearInterval(timer);
  });
  return { byCamera, error, loaded, reload };
}
