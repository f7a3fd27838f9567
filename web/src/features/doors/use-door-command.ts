/**
 * Unlock and lock, followed until the door itself says what it did. What must stay true: the page never shows "unlocked"
 * because the command was sent, only because the door reported it.
 */
import { onBeforeUnmount, ref, shallowRef } from 'vue';
import { api, type Result } from '#api/client.ts';
import { asApiError, type ApiError } from '#api/problem.ts';
import { useRealtime } from '#app/realtime.store.ts';

export type Command = Result<'getCommand'>;
export type DoorAct = { name: 'unlock'; seconds: number } | { name: 'lock' };

/** The feed brings the result; asking is only for when it does not. */
const askMs = 2_000;
const askMax = 15;
const isOver = (command: Command): boolean => command.state !== 'pending' && command.state !== 'sent';

export function useDoorCommand() {
  const realtime = useRealtime();
  const command = shallowRef<Command>();
  const error = shallowRef<ApiError>();
  const busy = ref(false);
  let timer: ReturnType<typeof setTimeout> | undefined;

  const stop = realtime.on('command', (entries) => {
    for (const entry of entries) {
      if (entry.id === command.value?.id && entry.data !== undefined) note(entry.data as Command);
    }
  });
  onBeforeUnmount(() => {
    stop();
    clearTimeout(timer);
  });

  function note(next: Command): void {
    if (command.value?.id === next.id && isOver(command.value)) return;
    command.value = next;
    if (!isOver(next)) return;
    busy.value = false;
    clearTimeout(timer);
  }

  function askLater(id: string, left: number): void {
    timer = setTimeout(() => {
      void api('getCommand', { params: { id } })
        .then(note)
        .catch((thrown: unknown) => {
          error.value = asApiError(thrown);
        })
        .finally(() => {
          if (busy.value && left > 1) askLater(id, left - 1);
          else busy.value = false;
        });
    }, askMs);
  }

  async function run(doorId: string, act: DoorAct, incidentId: string | undefined): Promise<void> {
    if (busy.value) return;
    busy.value = true;
    error.value = undefined;
    command.value = undefined;
    const incident = incidentId === undefined ? {} : { incident_id: incidentId };
    try {
      const sent =
        act.name === 'unlock'
          ? await api('unlockDoor', { params: { id: doorId }, body: { seconds: act.seconds, ...incident } })
          : await api('lockDoor', { params: { id: doorId }, body: incident });
      note(sent);
      if (busy.value) askLater(sent.id, askMax);
    } catch (thrown) {
      error.value = asApiError(thrown);
      busy.value = false;
    }
  }

  return { command, error, busy, run };
}
