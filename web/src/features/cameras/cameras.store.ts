/**
 * The cameras the user may watch, with their state. The service has no feed of its own: while a page follows, the list is read
 * again every few seconds, and at once when the registry tells of a change.
 */
import { defineStore } from 'pinia';
import { computed, onBeforeUnmount, onMounted, ref, shallowRef } from 'vue';
import { api } from '#api/client.ts';
import { asApiError, type ApiError } from '#api/problem.ts';
import { useRealtime } from '#app/realtime.store.ts';
import type { Camera } from '#features/cameras/camera-types.ts';

const refreshMs = 4_000;

export const useCameras = defineStore('cameras', () => {
  const items = shallowRef<Camera[]>([]);
  const state = ref<'idle' | 'loading' | 'ready' | 'error'>('idle');
  const error = shallowRef<ApiError>();
  let followers = 0;
  let timer: ReturnType<typeof setInterval> | undefined;
  let stop: (() => void) | undefined;
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    if (state.value === 'idle') state.value = 'loading';
    try {
      items.value = (await api('listCameras')).items;
      state.value = 'ready';
      error.value = undefined;
    } catch (thrown) {
      error.value = asApiError(thrown);
      if (items.value.length === 0) state.value = 'error';
    }
  }
  function reload(): Promise<void> {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  function follow(): () => void {
    followers += 1;
    if (followers === 1) {
      timer = setInterval(() => {
        if (!document.hidden) void reload();
      }, refreshMs);
      stop = useRealtime().on('device', (entries) => {
        const isCamera = entries.some(
          (entry) =>
            (entry.data as { kind?: string } | undefined)?.kind === 'camera' || byId.value.has(entry.id),
        );
        if (isCamera) void reload();
      });
    }
    void reload();
    return () => {
      followers -= 1;
      if (followers > 0) return;
      clearInterval(timer);
      stop?.();
    };
  }

  const byId = computed(() => new Map(items.value.map((camera) => [camera.id, camera])));
  return {
    items,
    byId,
    /** In the order of their names, as people read them. */
    sorted: computed(() =>
      [...items.value].sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true })),
    ),
    state,
    error,
    reload,
    follow,
    put: (camera: Camera) => {
      items.value = [...items.value.filter((one) => one.id !== camera.id), camera];
    },
  };
});

/** The store, followed while the component is on the screen. */
export function useFollowedCameras(): ReturnType<typeof useCameras> {
  const cameras = useCameras();
  let stop: (() => void) | undefined;
  onMounted(() => {
    stop = cameras.follow();
  });
  onBeforeUnmount(() => stop?.());
  return cameras;
}
