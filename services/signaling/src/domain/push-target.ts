/**
 * Where the box may send a push to. Pure: names are resolved elsewhere. An endpoint is an address that a browser named, so without
 * this the box would call whatever somebody writes. What must stay true: https only, known services or what an admin named,
 * and no address inside the building unless an admin named that host.
 */
import { createECDH } from 'node:crypto';
import { addressKind } from '@siphera/runtime';

/** Hosts of the push services of Chrome, Firefox, Safari, and Edge; what ends with one after a dot is one too. */
const knownServices = [
  'fcm.googleapis.com',
  'jmt17.google.com',
  'push.services.mozilla.com',
  'push.apple.com',
  'notify.windows.com',
] as const;

/** What `PUSH_ALLOW_HOSTS` names: a host, or `host:port`; the port is 443 else. */
export type AllowedHosts = readonly string[];

/** @returns why nothing is sent there, for a person; undefined when it may be. */
export function refuseEndpoint(endpoint: string, allow: AllowedHosts): string | undefined {
  const url = URL.parse(endpoint);
  if (!url) return 'it is no address';
  if (url.protocol !== 'https:') return 'it is not https';
  if (url.username !== '' || url.password !== '') return 'it holds a name or a password';
  if (url.hash !== '') return 'it holds a fragment';
  if (isNamedByAdmin(url, allow)) return undefined;
  if (url.port !== '') return 'its port is not 443';
  const known = knownServices.some((name) => url.hostname === name || url.hostname.endsWith(`.${name}`));
  return known ? undefined : `${url.hostname} is no push service that this box knows`;
}

/** @param address as the resolver answered. @returns why it is not connected to; undefined when it may be. */
export function refusePushAddress(address: string, url: URL, allow: AllowedHosts): string | undefined {
  const kind = addressKind(address);
  if (kind === undefined) return 'it is no IP address';
  if (kind === 'internet') return undefined;
  const reachable = kind === 'lan' || kind === 'loopback';
  if (reachable && isNamedByAdmin(url, allow)) return undefined;
  return `${kind} addresses are not called for a push`;
}

function isNamedByAdmin(url: URL, allow: AllowedHosts): boolean {
  const name = `${url.hostname}:${url.port === '' ? '443' : url.port}`.toLowerCase();
  return allow.some((host) => (/:\d+$/.test(host) ? host : `${host}:443`).toLowerCase() === name);
}

const base64url = /^[A-Za-z0-9_-]+={0,2}$/;

/**
 * RFC 8291 §3.1: a point on P-256, uncompressed, and 16 bytes. Web Push libraries check the length alone, and a point that is not on
 * the curve would come up at the first alarm.
 * @returns why the keys are not usable; undefined when they are.
 */
export function refuseKeys(keys: { p256dh: string; auth: string }): string | undefined {
  if (!base64url.test(keys.p256dh) || !base64url.test(keys.auth)) return 'the keys are not base64url';
  const point = Buffer.from(keys.p256dh, 'base64url');
  if (point.length !== 65 || point[0] !== 4) return 'p256dh is no uncompressed point of 65 bytes';
  if (Buffer.from(keys.auth, 'base64url').length !== 16) return 'auth is not 16 bytes';
  const own = createECDH('prime256v1');
  own.generateKeys();
  try {
    own.computeSecret(point);
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_CRYPTO_ECDH_INVALID_PUBLIC_KEY') throw error;
    return 'p256dh is no point on P-256';
  }
}
