/**
 * The door station behind a call: its camera and its door, from the phone book at once and from the board, which knows the call by its
 * SIP Call-ID and through which the door is opened.
 */
import { computed, onBeforeUnmount, shallowRef, watch } from 'vue';
import { api } from '#api/client.ts';
import { useSession } from '#app/session.store.ts';
import type { LineCall } from './line-types.ts';
import { usePhone } from './phone.store.ts';
import type { BoardCall } from './use-board.ts';

/** The bridge hears of a call a moment after it rings here. */
const lookMs = 1_000;
const looksMax = 15;

export function useDoorCall(call: () => LineCall) {
  const phone = usePhone();
  const session = useSession();
  const board = shallowRef<BoardCall>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let looks = 0;
  let stopped = false;

  const entry = computed(() => phone.byNumber.get(call().number));
  const cameraId = computed(() => board.value?.camera_id ?? entry.value?.camera_id ?? null);
  const doorId = computed(() => board.value?.door_id ?? entry.value?.door_id ?? null);
  const isDoor = computed(
    () => entry.value?.kind === 'door' || doorId.value !== null || cameraId.value !== null,
  );

  async function look(): Promise<void> {
    looks += 1;
    try {
      const query = { of: 'mine', limit: 20 } as const;
      const { items } = session.may('phone.read')
        ? await api('listLiveCalls')
        : await api('listPhoneCalls', { query });
      board.value = items.find(({ call_id: id, state }) => id === call().callId && state !== 'ended');
    } catch {
      // Asked again below; the phone book alone still shows the picture.
      board.value = undefined;
    }
    if (board.value === undefined && looks < looksMax && !stopped)
      timer = setTimeout(() => void look(), lookMs);
  }

  watch(
    () => call().callId !== '' && isDoor.value && board.value === undefined && looks === 0,
    (isWanted) => {
      if (isWanted) void look();
    },
    { immediate: true },
  );
  void phone.ensureBook();
  onBeforeUnmount(() => {
    stopped = true;
    clearTimeout(timer);
  });

  return {
    isDoor,
    cameraId,
    canOpen: computed(() => doorId.value !== null && session.may('device.command')),
    /** By the board, without which nobody could say afterwards who opened. */
    isReady: computed(() => board.value !== undefined),
    /** @throws ApiError */
    open: async (): Promise<void> => {
      const { value } = board;
      if (value) await api('openDoorOfCall', { params: { id: value.id } });
    },
  };
}
