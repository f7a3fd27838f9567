/** The sound of an alarm call as SDP says it: G.711 and keys (RFC 4733), nothing else. */
import { z } from 'zod';

export type RemoteSound = {
  address: string;
  port: number;
  /** Payload type of G.711: 0 μ-law, 8 A-law. */
  codec: 0 | 8;
  /** Payload type of keys; undefined: it sends none. */
  keys: number | undefined;
};

const Address = z.union([z.ipv4(), z.ipv6()]);
/** Our own payload type of keys: what nearly everybody takes. */
const keysType = 101;

export const offerSdp = ({ address, port, id }: { address: string; port: number; id: number }): string => {
  const at = `${address.includes(':') ? 'IP6' : 'IP4'} ${address}`;
  return [
    'v=0',
    `o=siphera ${id} ${id} IN ${at}`,
    's=-',
    `c=IN ${at}`,
    't=0 0',
    `m=audio ${port} RTP/AVP 0 8 ${keysType}`,
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:8 PCMA/8000',
    `a=rtpmap:${keysType} telephone-event/8000`,
    `a=fmtp:${keysType} 0-15`,
    'a=ptime:20',
    'a=sendrecv',
    '',
  ].join('\r\n');
};

/** Undefined for a body that says no sound that we could send. */
export function readSound(body: string): RemoteSound | undefined {
  const lines = body.split(/\r?\n/, 300);
  const start = lines.findIndex((line) => line.startsWith('m=audio '));
  if (start < 0) return undefined;
  const next = lines.findIndex((line, index) => index > start && line.startsWith('m='));
  const section = lines.slice(start, next < 0 ? undefined : next);
  const [, portText = '', , ...types] = (section[0] ?? '').split(' ');
  const port = Number(portText);
  const codec = types.map(Number).find((type): type is 0 | 8 => type === 0 || type === 8);
  const address = addressIn(section) ?? addressIn(lines.slice(0, start));
  if (address === undefined || codec === undefined || !(port > 0 && port < 65_536)) return undefined;
  const keys = section
    .map((line) => /^a=rtpmap:(\d{1,3}) telephone-event\/8000/i.exec(line)?.[1])
    .find((type) => type !== undefined);
  return { address, port, codec, keys: keys === undefined ? undefined : Number(keys) };
}

function addressIn(lines: readonly string[]): string | undefined {
  const address = lines
    .map((line) => /^c=IN IP[46] ([^\s/]+)/.exec(line)?.[1])
    .find((one) => one !== undefined);
  return address !== undefined && Address.safeParse(address).success ? address : undefined;
}
