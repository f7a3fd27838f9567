/**
 * Does this device trust the box's certificate? Browsers keep an exception that a user clicked apart from trust, and a
 * service worker may only be registered on a page whose certificate is truly trusted: that tells the two apart.
 */
export type TrustVerdict = 'trusted' | 'not_trusted' | 'insecure' | 'unknown';

/** Only browsers built on Chromium refuse a worker on a page with a clicked-away warning; others say nothing. */
export async function checkTrust(scriptUrl: string): Promise<TrustVerdict> {
  if (location.protocol !== 'https:') return window.isSecureContext ? 'unknown' : 'insecure';
  if (!('serviceWorker' in navigator)) return 'unknown';
  try {
    const registration = await navigator.serviceWorker.register(scriptUrl, { scope: '/trust-check/' });
    await registration.unregister();
    return 'trusted';
  } catch (thrown) {
    return thrown instanceof DOMException && thrown.name === 'SecurityError' ? 'not_trusted' : 'unknown';
  }
}
