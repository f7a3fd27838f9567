/**
 * The part of a long conversation that is in the page. What must stay true: never more than `rowsMax` messages are drawn, what
 * the reader looks at stays where it is when rows come or go above it, and who is at the end stays at the end.
 */
import type { Message } from '@siphera/talk';
import { computed, nextTick, onBeforeUnmount, onMounted, ref, watch, type Ref } from 'vue';
import { moveWindow } from '#features/talk/timeline-rows.ts';

/** Several screens of short messages; drawing more only costs memory and frames. */
const rowsMax = 120;
/** The window moves by this many, so that it moves seldom. */
const step = 40;
/** So far from an edge of what is drawn, the window moves or older messages are asked for. */
const nearPx = 500;
/** Who is this close to the end reads the newest, and is taken along. */
const endPx = 80;

type Options = {
  messages: () => readonly Message[];
  scroller: Readonly<Ref<HTMLElement | null>>;
  /** Older ones are wanted. */
  older: () => void;
};

export function useRowWindow({ messages, scroller, older }: Options) {
  const shown = ref({ from: 0, to: 0 });
  const atEnd = ref(true);
  let observer: ResizeObserver | undefined;
  let firstId: string | undefined;
  let moving = false;

  const toEnd = (): void => {
    const { length } = messages();
    shown.value = moveWindow({ from: length, to: length }, 0, length, rowsMax);
  };
  const fall = (): void => {
    if (scroller.value) scroller.value.scrollTop = scroller.value.scrollHeight;
  };

  /** The first row that is in sight and where it is. */
  function anchor(): { id: string; top: number } | undefined {
    const box = scroller.value;
    if (!box) return undefined;
    const edge = box.getBoundingClientRect().top;
    for (const row of box.querySelectorAll<HTMLElement>('[data-id]')) {
      const { top, bottom } = row.getBoundingClientRect();
      if (bottom > edge) return { id: row.dataset['id'] ?? '', top };
    }
    return undefined;
  }
  function hold(kept: { id: string; top: number } | undefined): void {
    if (!kept || !scroller.value) return;
    const row = scroller.value.querySelector(`[data-id="${CSS.escape(kept.id)}"]`);
    if (row) scroller.value.scrollTop += row.getBoundingClientRect().top - kept.top;
  }
  async function move(by: number): Promise<void> {
    if (moving) return;
    moving = true;
    const kept = anchor();
    shown.value = moveWindow(shown.value, by, messages().length, rowsMax);
    await nextTick();
    hold(kept);
    moving = false;
  }

  function onScroll(): void {
    const box = scroller.value;
    if (!box || moving) return;
    const below = box.scrollHeight - box.scrollTop - box.clientHeight;
    atEnd.value = shown.value.to === messages().length && below < endPx;
    if (box.scrollTop < nearPx) {
      if (shown.value.from > 0) void move(-step);
      else older();
    } else if (below < nearPx && shown.value.to < messages().length) void move(step);
  }

  watch(
    messages,
    async (list) => {
      const before = firstId;
      firstId = list[0]?.id;
      if (before === undefined || atEnd.value || shown.value.to === 0) {
        toEnd();
        await nextTick();
        fall();
        return;
      }
      const grown =
        before === firstId
          ? 0
          : Math.max(
              0,
              list.findIndex((message) => message.id === before),
            );
      const kept = anchor();
      const moved = { from: shown.value.from + grown, to: shown.value.to + grown };
      // Older ones came: some of them are drawn at once, so that the reader can go on.
      shown.value = moveWindow(moved, grown > 0 ? -Math.min(step, grown) : 0, list.length, rowsMax);
      await nextTick();
      hold(kept);
    },
    { immediate: true, flush: 'pre' },
  );

  onMounted(() => {
    fall();
    if (typeof ResizeObserver !== 'function' || !scroller.value) return;
    observer = new ResizeObserver(() => {
      if (atEnd.value) fall();
    });
    observer.observe(scroller.value);
    const inner = scroller.value.firstElementChild;
    if (inner) observer.observe(inner);
  });
  onBeforeUnmount(() => observer?.disconnect());

  /** Brings a message into the page; undefined when it is not among those that were read. */
  async function bring(id: string): Promise<HTMLElement | undefined> {
    const index = messages().findIndex((message) => message.id === id);
    if (index < 0) return undefined;
    if (index < shown.value.from || index >= shown.value.to) {
      atEnd.value = false;
      shown.value = moveWindow({ from: index - rowsMax / 2, to: index }, 0, messages().length, rowsMax);
      await nextTick();
    }
    return scroller.value?.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"]`) ?? undefined;
  }

  return {
    atEnd,
    drawn: computed(() => messages().slice(shown.value.from, shown.value.to)),
    /** Nothing older is left out of the page. */
    atBeginning: computed(() => shown.value.from === 0),
    onScroll,
    bring,
    toNewest: async (): Promise<void> => {
      atEnd.value = true;
      toEnd();
      await nextTick();
      fall();
    },
  };
}
