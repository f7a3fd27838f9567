/**
 * Finds cameras: WS-Discovery by multicast on every interface, and asked one by one where multicast does not reach. An answer
 * is a claim that anybody on the LAN can make: it is shown, and believed only after the camera was asked.
 */
import { createSocket, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import type { Random } from '@siphera/runtime';
import { atHost, endpointUrl, httpSchemes, onvifEndpoint } from '../../domain/address.ts';
import {
  discoveryGroup,
  discoveryPort,
  probeMessage,
  readProbeMatches,
  type ProbeMatch,
} from '../../domain/onvif/discovery.ts';
import type { CameraNetwork } from '../camera-network.ts';
import { OnvifCamera } from './onvif-camera.ts';

export type Discovered = Omit<ProbeMatch, 'onvifUrls'> & { onvifUrl: string };

/** More than these on one LAN come of a flood, not of cameras. */
const foundMax = 2_000;
/**
 * When the two probes go out, in turns: UDP gets lost, and the answers of a whole LAN to one of them fill a socket's buffer.
 * The second half of each wait is for answers alone.
 */
const sendAtMs = [0, 250, 600, 1_000, 1_500] as const;
/** As much as the kernel gives. */
const receiveBytes = 4 * 1024 * 1024;
/** Ports on which cameras keep ONVIF besides 80, tried only where the host is there. */
const otherPorts = [8080, 8000, 2020, 8899] as const;
const scanAtOnce = 128;
const scanMs = 1_000;

export type DiscoveryOptions = {
  waitMs: number;
  /** Own addresses from which probes go out; empty: every interface but loopback. */
  from: readonly string[];
  /** Addresses that are asked one by one. */
  addresses?: readonly string[];
  random: Random;
  network: CameraNetwork;
  now: () => number;
};

export async function discover(options: DiscoveryOptions): Promise<Discovered[]> {
  const [heard, scanned] = await Promise.all([
    probe(options),
    scan(options.addresses ?? [], { network: options.network, now: options.now }),
  ]);
  // The same camera by both ways: what it said by itself tells more.
  const known = new Set(heard.map(({ onvifUrl }) => onvifUrl));
  return [...heard, ...scanned.filter(({ onvifUrl }) => !known.has(onvifUrl))];
}

/** The endpoint reference that one host tells, to know it again under another address. */
export async function endpointOf(
  host: string,
  options: Pick<DiscoveryOptions, 'random' | 'network' | 'now'>,
): Promise<Discovered | undefined> {
  if (!/^\d+\.\d+\.\d+\.\d+$/.test(host) || options.network.refusal(host) !== undefined) return undefined;
  return (await probe({ ...options, waitMs: 700, from: [], addresses: [host], multicast: false }))[0];
}

async function probe(options: DiscoveryOptions & { multicast?: boolean }): Promise<Discovered[]> {
  const { random, network, waitMs, multicast = true } = options;
  const addresses = (options.addresses ?? []).filter((address) => network.refusal(address) === undefined);
  const found = new Map<string, Discovered>();
  const messages = (['dn:NetworkVideoTransmitter', 'tds:Device'] as const).map((types) => {
    const id = random.uuid();
    return { id, bytes: Buffer.from(probeMessage(id, types)) };
  });
  const ids = new Set(messages.map(({ id }) => id));
  const hear = (bytes: Buffer, from: string): void => {
    // What answers from an address of the box is no camera, whatever it says.
    if (found.size >= foundMax || network.refusal(from) !== undefined) return;
    for (const match of readProbeMatches(bytes.toString('utf8'), ids)) {
      const onvifUrl = reachable(match.onvifUrls, from);
      if (onvifUrl !== undefined) found.set(match.endpoint, { ...match, onvifUrl });
    }
  };
  const sockets = await openSockets(options.from, { multicast, direct: addresses.length > 0 }, hear);
  const send = (bytes: Buffer): void => {
    for (const socket of sockets.multicast) sendTo(socket, bytes, discoveryGroup);
    for (const address of addresses) if (sockets.direct) sendTo(sockets.direct, bytes, address);
  };
  const turns = sendAtMs.filter((ms) => ms <= waitMs / 2);
  for (const [turn, ms] of turns.entries()) {
    const { bytes } = messages[turn % messages.length] ?? { bytes: Buffer.alloc(0) };
    setTimeout(() => send(bytes), ms);
  }
  await new Promise((resolve) => setTimeout(resolve, waitMs));
  for (const socket of [...sockets.multicast, sockets.direct]) socket?.close();
  return [...found.values()];
}

/** The address it tells at which it answered; else the first it tells, at the address from which it answered. */
function reachable(urls: readonly string[], from: string): string | undefined {
  const own = urls.find((url) => onvifEndpoint(url)?.host === from);
  const [first = ''] = urls;
  const url = own ?? atHost(first, from, httpSchemes);
  const endpoint = url === undefined ? undefined : onvifEndpoint(url);
  return endpoint && endpointUrl(endpoint);
}

type Sockets = { multicast: Socket[]; direct: Socket | undefined };

async function openSockets(
  from: readonly string[],
  wanted: { multicast: boolean; direct: boolean },
  hear: (bytes: Buffer, from: string) => void,
): Promise<Sockets> {
  const own = from.length > 0 ? from : ownAddresses();
  const multicast = wanted.multicast
    ? await Promise.all(own.map((address) => openSocket(address, hear).catch(() => undefined)))
    : [];
  return {
    // An interface that went away meanwhile is left out.
    multicast: multicast.filter((socket) => socket !== undefined),
    direct: wanted.direct ? await openSocket(undefined, hear) : undefined,
  };
}

function openSocket(
  address: string | undefined,
  hear: (bytes: Buffer, from: string) => void,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    socket.once('error', reject);
    socket.on('message', (bytes, remote) => hear(bytes, remote.address));
    socket.bind(0, address ?? '0.0.0.0', () => {
      socket.off('error', reject);
      // An ICMP answer of a host without discovery is no error of ours.
      socket.on('error', () => undefined);
      socket.setRecvBufferSize(receiveBytes);
      if (address !== undefined) socket.setMulticastInterface(address);
      resolve(socket);
    });
  });
}

function sendTo(socket: Socket, bytes: Buffer, address: string): void {
  socket.send(bytes, discoveryPort, address, () => {
    // Nobody there: then nobody answers.
  });
}

const ownAddresses = (): string[] =>
  Object.values(networkInterfaces())
    .flat()
    .filter((one) => one !== undefined && one.family === 'IPv4' && !one.internal)
    .map((one) => one?.address ?? '');

/** ONVIF's one question that needs no credentials, to each address; other ports only where there is a host. */
async function scan(
  addresses: readonly string[],
  options: Pick<DiscoveryOptions, 'network' | 'now'>,
): Promise<Discovered[]> {
  const waiting = addresses.filter((address) => options.network.refusal(address) === undefined);
  const found: Discovered[] = [];
  const worker = async (): Promise<void> => {
    for (let address = waiting.shift(); address !== undefined; address = waiting.shift()) {
      const url = await onvifAt(address, options);
      if (url !== undefined)
        found.push({ endpoint: '', onvifUrl: url, name: null, hardware: null, mac: null });
    }
  };
  await Promise.all(Array.from({ length: Math.min(scanAtOnce, waiting.length) }, worker));
  return found;
}

async function onvifAt(
  address: string,
  options: Pick<DiscoveryOptions, 'network' | 'now'>,
): Promise<string | undefined> {
  for (const port of [80, ...otherPorts]) {
    const endpoint = onvifEndpoint(port === 80 ? address : `${address}:${port}`);
    if (!endpoint) return undefined;
    try {
      await new OnvifCamera({ endpoint, login: undefined, ...options, timeoutMs: scanMs }).readClock();
      return endpointUrl(endpoint);
    } catch (error) {
      // Silence is a host that is not there, for the other ports too.
      if (
        (error as Error).message.startsWith('no answer') ||
        /EHOSTUNREACH|ENETUNREACH/.test((error as Error).message)
      )
        return undefined;
    }
  }
  return undefined;
}
