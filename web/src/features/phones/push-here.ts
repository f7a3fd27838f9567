/** Whether and how this browser can be rung up, and asking it to be (Push API; the box's VAPID key, RFC 8292). */
import { api } from '#api/client.ts';

export type PushHere =
  /** No Push API at all, or an iPhone page that is not on the home screen. */
  | 'unsupported'
  | 'needs_install'
  /** The certificate is not trusted, so there is no service worker. */
  | 'no_worker'
  | 'denied'
  | 'off'
  | 'on';

const isIos = (): boolean => /iPhone|iPad|iPod/.test(navigator.userAgent);
const isInstalled = (): boolean => matchMedia('(display-mode: standalone)').matches;

export async function pushHere(): Promise<PushHere> {
  if (isIos() && !isInstalled()) return 'needs_install';
  if (!('PushManager' in window) || !('Notification' in window)) return 'unsupported';
  if (Notification.permission === 'denied') return 'denied';
  const registration = await navigator.serviceWorker.getRegistration('/');
  if (!registration) return 'no_worker';
  return (await registration.pushManager.getSubscription()) ? 'on' : 'off';
}

/**
 * Asks for permission, subscribes and tells the box.
 * @returns the subscription's id, or how far it came.
 * @throws ApiError, or DOMException where the browser's push service cannot be reached (no internet).
 */
export async function ringMeUp(userId: string, name: string): Promise<{ id: string } | PushHere> {
  if ((await Notification.requestPermission()) !== 'granted') return 'denied';
  const registration = await navigator.serviceWorker.getRegistration('/');
  if (!registration) return 'no_worker';
  const { public_key: key } = await api('getPushKey');
  const subscription =
    (await registration.pushManager.getSubscription()) ??
    (await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
  const put = await putSubscription(subscription, name);
  localStorage.setItem(wantedKey(userId), name);
  return put;
}

/** That this person wants to be rung up in this browser, by the name of the device. Holds no secret. */
const wantedKey = (userId: string): string => `siphera_push:${userId}`;

/**
 * Tells the box of this browser's subscription again: signing out has ended it there, and a browser renews it now and then. Only for who
 * asked to be rung up here; somebody else at this browser does not take it over by signing in. A box that is away is told at the next start.
 */
export async function keepRinging(userId: string): Promise<void> {
  const name = localStorage.getItem(wantedKey(userId));
  if (name === null || !('serviceWorker' in navigator) || (await pushHere()) !== 'on') return;
  const registration = await navigator.serviceWorker.getRegistration('/');
  const subscription = await registration?.pushManager.getSubscription();
  if (subscription) await putSubscription(subscription, name).catch(() => undefined);
}

async function putSubscription(subscription: PushSubscription, name: string): Promise<{ id: string }> {
  const { endpoint, keys } = subscription.toJSON() as {
    endpoint: string;
    keys: { p256dh: string; auth: string };
  };
  const { id } = await api('putPushSubscription', {
    body: { endpoint, keys: { p256dh: keys.p256dh, auth: keys.auth }, name },
  });
  return { id };
}

export async function ringMeNoMore(userId: string): Promise<void> {
  localStorage.removeItem(wantedKey(userId));
  const registration = await navigator.serviceWorker.getRegistration('/');
  await (await registration?.pushManager.getSubscription())?.unsubscribe();
}

/** "Chrome on Android", to tell phones apart; the person may call it otherwise. */
export function nameOfBrowser(agent: string = navigator.userAgent): string {
  const system = /Android/.test(agent)
    ? 'Android'
    : /iPhone|iPad/.test(agent)
      ? 'iPhone'
      : /Windows/.test(agent)
        ? 'Windows'
        : /Mac OS/.test(agent)
          ? 'Mac'
          : 'Linux';
  const browser = /Edg\//.test(agent)
    ? 'Edge'
    : /Firefox\//.test(agent)
      ? 'Firefox'
      : /Chrome\//.test(agent)
        ? 'Chrome'
        : 'Safari';
  return `${browser}, ${system}`;
}
