/**
 * The installed console and its releases. A new one is fetched in the background and takes over by itself only when nothing would be
 * disturbed: no alarm waits, no incident or talk is open, nothing is being typed, no call, nothing that was done offline. Else a line offers it.
 */
import { ref } from 'vue';
import { router } from '#app/router.ts';

/** A console on a wall is never closed: it asks this often whether the box has a new release. */
const askMs = 30 * 60_000;
/** Nobody has touched it for this long. */
const idleMs = 60_000;
const lookMs = 10_000;

/** A release waits for its turn. */
export const releaseWaits = ref(false);
let waiting: ServiceWorker | undefined;
let touchedAt = 0;
let isTaking = false;
let isStale = false;
const holds = new Set<() => boolean>();

/** While one of these says true, no new release takes over by itself. */
export function holdRelease(isBusy: () => boolean): void {
  holds.add(isBusy);
}

/** Pages on which somebody is at work. */
const workPages = /^\/(incidents\/.|talk|playback|wall|rules\/.)/;

/** Not in the dev server, which has no worker, nor in the guard desk, which brings its own files. */
export async function followReleases(): Promise<void> {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return;
  const { serviceWorker } = navigator;
  let hasController = serviceWorker.controller !== null;
  serviceWorker.addEventListener('controllerchange', () => {
    // The first worker takes pages that were loaded without one: nothing to load again.
    const isNew = hasController;
    hasController = true;
    if (isTaking) location.reload();
    else if (isNew) {
      // Somebody let it take over in another tab. This one goes on as it is until it may load.
      isStale = true;
      releaseWaits.value = true;
    }
  });
  serviceWorker.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    const go = (data as { go?: unknown } | null)?.go;
    if (typeof go === 'string' && go.startsWith('/')) void router.push(go);
  });
  for (const event of ['pointerdown', 'keydown'] as const)
    window.addEventListener(event, () => (touchedAt = performance.now()), { capture: true, passive: true });
  try {
    const registration = await serviceWorker.register('/sw.js', { updateViaCache: 'none' });
    noticeOf(registration);
    registration.addEventListener('updatefound', () => noticeOf(registration));
    setInterval(() => void registration.update().catch(() => undefined), askMs);
  } catch {
    // Without trust in the box's certificate there is no worker, and the console is a page like before; the trust page says how to get it.
    return;
  }
  setInterval(look, lookMs);
}

/** A tab at work holds a share of the lock; who wants to load the release needs all of it. */
const workLock = 'siphera-at-work';
let letGo: (() => void) | undefined;

function look(): void {
  if (isQuiet()) {
    letGo?.();
    letGo = undefined;
    if (releaseWaits.value)
      void navigator.locks.request(workLock, { ifAvailable: true }, (lock) => {
        if (lock) takeRelease();
      });
    return;
  }
  if (letGo) return;
  const work = Promise.withResolvers<void>();
  letGo = work.resolve;
  void navigator.locks.request(workLock, { mode: 'shared' }, () => work.promise);
}

function noticeOf(registration: ServiceWorkerRegistration): void {
  const next = registration.waiting ?? registration.installing;
  if (!next || !navigator.serviceWorker.controller) return;
  const look = (): void => {
    if (next.state !== 'installed') return;
    waiting = next;
    releaseWaits.value = true;
  };
  next.addEventListener('statechange', look);
  look();
}

/** Loads the new release now. */
export function takeRelease(): void {
  isTaking = true;
  if (isStale) location.reload();
  else waiting?.postMessage('take_over');
}

function isQuiet(): boolean {
  const typing = document.activeElement instanceof HTMLElement && isField(document.activeElement);
  const isIdle = performance.now() - touchedAt > idleMs;
  const isAtWork = workPages.test(router.currentRoute.value.path) && !document.hidden;
  return isIdle && !typing && !isAtWork && ![...holds].some((isBusy) => isBusy());
}

const isField = (element: HTMLElement): boolean =>
  element.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(element.tagName);
