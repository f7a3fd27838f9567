/**
 * After an upgrade of the box an open console asks for files that are gone. It loads itself again then, once: a box that is
 * down must not make it loop.
 */
const storageKey = 'siphera_reloaded_at';
const pauseMs = 60_000;

export function reloadAfterUpgrade(): void {
  window.addEventListener('vite:preloadError', () => {
    const last = Number(sessionStorage.getItem(storageKey) ?? 0);
    if (performance.timeOrigin - last < pauseMs || !navigator.onLine) return;
    sessionStorage.setItem(storageKey, String(performance.timeOrigin));
    location.reload();
  });
}
