/** Snapshots of cameras as object URLs: few at a time, kept a while, so that a page of sixty does not ask sixty cameras at once. */
import { onBeforeUnmount, onMounted, ref, watch, type Ref } from 'vue';
import { apiBlob } from '#api/client.ts';
import { monotonic } from '#app/clock.ts';

/** The box asks the camera, or cuts the picture out of the stream: both cost it something. */
const atOnceMax = 4;
const freshMs = 8_000;
const keptMax = 200;

type Kept = { at: number; blob: Blob };
const kept = new Map<string, Kept>();
const waiting: (() => void)[] = [];
let running = 0;

async function inTurn<T>(run: () => Promise<T>): Promise<T> {
  if (running >= atOnceMax) await new Promise<void>((resolve) => waiting.push(resolve));
  running += 1;
  try {
    return await run();
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

async function read(id: string, width: number): Promise<Blob> {
  const key = `${id}:${String(width)}`;
  return inTurn(async () => {
    const known = kept.get(key);
    if (known && monotonic() - known.at < freshMs) return known.blob;
    const blob = await apiBlob('getCameraSnapshot', { params: { id }, query: { width } });
    kept.delete(key);
    kept.set(key, { at: monotonic(), blob });
    const oldest = kept.keys().next().value;
    if (kept.size > keptMax && oldest !== undefined) kept.delete(oldest);
    return blob;
  });
}

/** Address of the camera's picture, read again every `everyMs` (never where undefined) while the page is seen. */
export function useSnapshot(
  id: () => string,
  options: { everyMs: number | undefined; widthPx: number; seen?: Readonly<Ref<boolean>> },
): Ref<string | undefined> {
  const url = ref<string>();
  let timer: ReturnType<typeof setInterval> | undefined;
  let turn = 0;

  function show(blob: Blob | undefined): void {
    if (url.value !== undefined) URL.revokeObjectURL(url.value);
    url.value = blob && URL.createObjectURL(blob);
  }
  async function refresh(): Promise<void> {
    if (document.hidden || options.seen?.value === false) return;
    turn += 1;
    const mine = turn;
    // A camera that gives no picture keeps the last one; its state says what is wrong.
    const blob = await read(id(), options.widthPx).catch(() => undefined);
    if (mine === turn && blob) show(blob);
  }

  onMounted(() => {
    void refresh();
    if (options.everyMs !== undefined) timer = setInterval(() => void refresh(), options.everyMs);
  });
  onBeforeUnmount(() => {
    turn += 1;
    clearInterval(timer);
    show(undefined);
  });
  watch(id, () => void refresh());
  if (options.seen) watch(options.seen, (seen) => seen && url.value === undefined && void refresh());
  return url;
}
