/**
 * Which addresses are no camera's: the box itself, and those that lead nowhere or to somebody's secrets. Whoever may manage
 * cameras, and every camera that names an address, could else have the box ask its own services. Pure.
 */
import { addressKind, type AddressKind } from '@siphera/runtime';

const words: Readonly<Record<Exclude<AddressKind, 'internet' | 'lan'>, string>> = {
  loopback: 'is the box itself',
  'link-local': 'is a link-local address; give the camera an address of its own',
  unspecified: 'is no address of a camera',
  multicast: 'is the address of a group, not of a camera',
  metadata: 'is where clouds keep their secrets, not a camera',
  special: 'is no address of a camera',
};

/** @returns why there is no camera at this IP address, in words; undefined when there may be one. */
export function refuseCameraAddress(
  address: string,
  { allowLoopback }: { allowLoopback: boolean },
): string | undefined {
  const kind = addressKind(address);
  if (kind === undefined) return `${address} is no IP address`;
  if (kind === 'internet' || kind === 'lan' || (kind === 'loopback' && allowLoopback)) return undefined;
  return `${address} ${words[kind]}`;
}

/** An RTSP address at the IP address that was checked: what follows is connected to without asking for the name again. */
export function atAddress(url: string, address: string): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return url.replace(
    /^(rtsps?:\/\/(?:[^/?#@]*@)?)(?:\[[^\]]*\]|[^:/?#]*)/i,
    (_all, before: string) => before + host,
  );
}
