/**
 * Turning a camera by hand. What must stay true: a camera never goes on turning because a "stop" was lost (each move ends by
 * itself and is renewed while the hand stays), and moves are never queued behind one another.
 */
import { onBeforeUnmount, ref } from 'vue';
import { api } from '#api/client.ts';
import type { PtzAction } from '#features/cameras/camera-types.ts';
import { useAct } from '#ui/use-act.ts';

export type Velocity = { pan: number; tilt: number; zoom: number };
const renewMs = 400;
/** The camera stops by itself after this; two renewals may be lost before it does. */
const moveMs = 1_200;

export function usePtz(id: () => string) {
  const { run } = useAct();
  const moving = ref(false);
  let wanted: Velocity | undefined;
  let sending = false;
  let timer: ReturnType<typeof setInterval> | undefined;

  const send = (body: PtzAction): Promise<unknown> => api('movePtz', { params: { id: id() }, body });

  async function push(): Promise<void> {
    if (!wanted || sending) return;
    sending = true;
    const ok = await run(() =>
      send({ action: 'move', ...(wanted ?? { pan: 0, tilt: 0, zoom: 0 }), for_ms: moveMs }),
    );
    sending = false;
    if (!ok) halt();
  }
  function move(velocity: Velocity): void {
    const isNew = wanted === undefined;
    wanted = velocity;
    moving.value = true;
    if (!isNew) return;
    void push();
    timer = setInterval(() => void push(), renewMs);
  }
  function halt(): void {
    clearInterval(timer);
    wanted = undefined;
    moving.value = false;
  }
  function stop(): void {
    if (!wanted) return;
    halt();
    void run(() => send({ action: 'stop' }));
  }
  /** One short push, e.g. of the wheel. */
  function nudge(velocity: Velocity): void {
    if (sending) return;
    sending = true;
    void run(() => send({ action: 'move', ...velocity, for_ms: 300 })).finally(() => {
      sending = false;
    });
  }
  onBeforeUnmount(stop);

  return {
    moving,
    move,
    stop,
    nudge,
    home: () => run(() => send({ action: 'home' })),
    preset: (preset: string) => run(() => send({ action: 'preset', preset })),
  };
}
