/**
 * The one way to an address of a camera: its name is asked for once, what comes is checked, and that very address is
 * connected to. So a name that changes its answer in between (DNS rebinding) gains nothing.
 */
import { lookup } from 'node:dns/promises';
import { hostOf } from '../domain/address.ts';
import { atAddress, refuseCameraAddress } from '../domain/camera-address.ts';

export type Address = { address: string; family: number };
export type Resolve = (host: string) => Promise<Address[]>;

/** The system's resolver may ask several servers in turn; a camera is not waited for that long. */
const resolveMsMax = 5_000;
/** IPv4 first: cameras that have both are found, and kept, by it. */
const bySystem: Resolve = (host) => lookup(host, { all: true, order: 'ipv4first' });

/** In words for people: why nothing is asked there. */
export class RefusedAddressError extends Error {}

export class CameraNetwork {
  readonly #allowLoopback: boolean;
  readonly #resolve: Resolve;

  constructor(options: { allowLoopback: boolean; resolve?: Resolve }) {
    this.#allowLoopback = options.allowLoopback;
    this.#resolve = options.resolve ?? bySystem;
  }

  /** Why this IP address is not asked. */
  refusal(address: string): string | undefined {
    return refuseCameraAddress(address, { allowLoopback: this.#allowLoopback });
  }

  /** The first address of a host that may be a camera's. @throws RefusedAddressError, or as the resolver does. */
  async address(host: string): Promise<Address> {
    const found = await inTime(this.#resolve(host));
    const [good] = found.filter(({ address }) => this.refusal(address) === undefined);
    if (good) return good;
    const refused = found[0] && this.refusal(found[0].address);
    throw new RefusedAddressError(refused ?? `${host} has no address`);
  }

  /** An RTSP address with its host resolved and checked. Without a host it is a file, and stays as it is. */
  async url(url: string): Promise<string> {
    const host = hostOf(url);
    // To ffmpeg an address without a host is one of this machine.
    if (host === '' && /^rtsps?:/i.test(url)) throw new RefusedAddressError('The address names no host');
    return host === '' ? url : atAddress(url, (await this.address(host)).address);
  }
}

async function inTime<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const error = Object.assign(new Error('The name was not resolved in time'), { code: 'EAI_AGAIN' });
    timer = setTimeout(() => reject(error), resolveMsMax);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
