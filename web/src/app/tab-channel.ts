/** Talk between tabs of one browser, and a lock over them. Both degrade to this tab alone where the browser lacks them. */

/** A message posted before the lock was let go arrives within this. */
const settleMs = 60;

export type TabChannel<T> = {
  send(message: T): void;
  /** Runs when no other tab holds the lock `name`, after messages of the tab before have arrived. */
  exclusive<R>(name: string, run: () => Promise<R>): Promise<R>;
};

export function openTabChannel<T>(name: string, onMessage: (message: T) => void): TabChannel<T> {
  const channel = typeof BroadcastChannel === 'function' ? new BroadcastChannel(name) : undefined;
  channel?.addEventListener('message', (event: MessageEvent<T>) => onMessage(event.data));
  return {
    send: (message) => channel?.postMessage(message),
    exclusive: async (lock, run) => {
      if (typeof navigator === 'undefined' || !('locks' in navigator)) return run();
      const probe = await navigator.locks.query();
      const waited = (probe.held ?? []).some((held) => held.name === lock);
      return navigator.locks.request(lock, async () => {
        if (waited) await new Promise((resolve) => setTimeout(resolve, settleMs));
        return run();
      });
    },
  };
}
