/** Pictures for scrubbing: one request at a time, the newest wish first, some kept. */
import { onBeforeUnmount, ref } from 'vue';
import { apiBlob } from '#api/client.ts';

/** Moments nearer than a part of the key-frame interval give the same picture. */
const gridMs = 2_000;
const keptMax = 120;

export function useThumbs(session: () => string | undefined) {
  const url = ref<string>();
  const kept = new Map<string, string>();
  let wanted: { id: string; at: number } | undefined;
  let busy = false;

  async function run(): Promise<void> {
    if (busy) return;
    busy = true;
    while (wanted) {
      const { id, at } = wanted;
      wanted = undefined;
      const key = `${id}:${String(at)}`;
      const known = kept.get(key) ?? (await fetchOne(id, at));
      if (known === undefined) {
        if (!wanted) url.value = undefined;
        continue;
      }
      kept.set(key, known);
      if (!wanted) url.value = known;
      const oldest = kept.entries().next().value;
      if (kept.size > keptMax && oldest && oldest[1] !== url.value) {
        kept.delete(oldest[0]);
        URL.revokeObjectURL(oldest[1]);
      }
    }
    busy = false;
  }
  async function fetchOne(id: string, at: number): Promise<string | undefined> {
    const query = { session: session() ?? '', at: new Date(at).toISOString(), width: 240 };
    // Where there is no footage there is no picture, and the bubble shows the time alone.
    const blob = await apiBlob('getThumbnail', { params: { id }, query }).catch(() => undefined);
    return blob && URL.createObjectURL(blob);
  }
  onBeforeUnmount(() => {
    for (const one of kept.values()) URL.revokeObjectURL(one);
  });
  return {
    url,
    want: (id: string, at: number) => {
      if (session() === undefined) return;
      wanted = { id, at: Math.round(at / gridMs) * gridMs };
      void run();
    },
    clear: () => {
      wanted = undefined;
      url.value = undefined;
    },
  };
}
