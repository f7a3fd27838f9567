/**
 * The service worker: opens the console without the box, shows what is pushed, sends what waits. What must stay true: with the box there,
 * a page is always the box's newest (the kept shell is for when it does not answer); the API is never answered from here; it takes over
 * only when a page says that nothing would be disturbed.
 */
import { cleanupOutdatedCaches, matchPrecache, precache } from 'workbox-precaching';
import { notify, open } from './notifications.ts';
import { sendActs } from './send-acts.ts';

declare const self: ServiceWorkerGlobalScope & { __PRECACHE: { url: string; revision: string | null }[] };

/** A box on the LAN answers in milliseconds; a guard in a dead spot must not wait longer than this for what is kept. */
const navigationMsMax = 2_500;
/** The encryption library is large and changes rarely: kept when it was first used, not with the shell. */
const lateCache = 'siphera-late';

precache(self.__PRECACHE);
cleanupOutdatedCaches();

self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
self.addEventListener('message', (event) => {
  if (event.data === 'take_over') void self.skipWaiting();
});
self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (url.pathname.startsWith('/api/') || url.pathname.startsWith('/socket.io')) return;
  if (request.mode === 'navigate') event.respondWith(page(request));
  else if (url.pathname.endsWith('.wasm')) event.respondWith(late(request));
  else event.respondWith(kept(request));
});
self.addEventListener('push', (event) => event.waitUntil(notify(self, event.data)));
self.addEventListener('notificationclick', (event) => event.waitUntil(open(self, event.notification)));
self.addEventListener('sync', (event) => {
  const { tag, waitUntil } = event as ExtendableEvent & { tag: string };
  if (tag === 'siphera-acts') waitUntil.call(event, sendActs(self));
});
/** A subscription that the browser renewed: a page puts the new one when it is next open; until then pushes fail and e-mail goes out. */
self.addEventListener('pushsubscriptionchange', (event) => {
  const wait = (event as unknown as ExtendableEvent).waitUntil.bind(event);
  wait(tellPages('subscription_changed'));
});

async function page(request: Request): Promise<Response> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), navigationMsMax);
  const answer = await fetch(request.url, { signal: stop.signal, credentials: 'same-origin' }).catch(
    () => undefined,
  );
  clearTimeout(timer);
  if (answer && answer.status < 500) return answer;
  return (await matchPrecache('/index.html')) ?? answer ?? Response.error();
}

/** A file of this release from what is kept; one of another release from the box. */
async function kept(request: Request): Promise<Response> {
  return (await matchPrecache(new URL(request.url).pathname)) ?? fetch(request);
}

async function late(request: Request): Promise<Response> {
  const cache = await caches.open(lateCache);
  const found = await cache.match(request);
  if (found) return found;
  const answer = await fetch(request);
  if (!answer.ok) return answer;
  // Its name holds its hash, so that one of another release is of no use any more.
  for (const old of await cache.keys()) if (stem(old.url) === stem(request.url)) await cache.delete(old);
  await cache.put(request, answer.clone());
  return answer;
}

const stem = (url: string): string => url.slice(0, url.lastIndexOf('-'));

async function tellPages(word: string): Promise<void> {
  for (const client of await self.clients.matchAll({ type: 'window' })) client.postMessage(word);
}
