/** STUN messages (RFC 8489) with the attributes of TURN (RFC 8656), as far as the tests of the relay need them. */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { isIPv4 } from 'node:net';

export const method = {
  allocate: 0x003,
  refresh: 0x004,
  send: 0x006,
  data: 0x007,
  createPermission: 0x008,
  channelBind: 0x009,
  connect: 0x00a,
} as const;
export const attribute = {
  username: 0x0006,
  integrity: 0x0008,
  errorCode: 0x0009,
  channelNumber: 0x000c,
  lifetime: 0x000d,
  peer: 0x0012,
  data: 0x0013,
  realm: 0x0014,
  nonce: 0x0015,
  relayed: 0x0016,
  requestedFamily: 0x0017,
  requestedTransport: 0x0019,
} as const;

export type Address = { address: string; port: number };
export type StunMessage = {
  method: number;
  kind: 'request' | 'indication' | 'success' | 'error';
  /** Hex; an answer carries that of its request. */
  id: string;
  attributes: ReadonlyMap<number, Buffer>;
};
export type Attributes = readonly (readonly [type: number, value: Buffer])[];
/** Long-term credentials, with what the server's 401 said. */
export type Signing = { username: string; password: string; realm: string; nonce: string };

const cookie = 0x2112a442;
const headerBytes = 20;
const classes = ['request', 'indication', 'success', 'error'] as const;

export const newId = (): string => randomBytes(12).toString('hex');

/** @param signing adds USERNAME, REALM, NONCE and MESSAGE-INTEGRITY. */
export function encode(
  message: { method: number; kind: StunMessage['kind']; id: string; attributes: Attributes },
  signing?: Signing,
): Buffer {
  const attributes: Attributes = signing
    ? [
        ...message.attributes,
        [attribute.username, Buffer.from(signing.username)],
        [attribute.realm, Buffer.from(signing.realm)],
        [attribute.nonce, Buffer.from(signing.nonce)],
      ]
    : message.attributes;
  const body = Buffer.concat(attributes.map(([type, value]) => encodeAttribute(type, value)));
  if (!signing) return Buffer.concat([header(message, body.length), body]);
  // The length in the header covers the integrity attribute already when it is computed (RFC 8489 §14.5).
  const signed = Buffer.concat([header(message, body.length + 24), body]);
  const { username, realm, password } = signing;
  const key = createHash('md5').update(`${username}:${realm}:${password}`).digest();
  const mac = createHmac('sha1', key).update(signed).digest();
  return Buffer.concat([signed, encodeAttribute(attribute.integrity, mac)]);
}

/** Undefined for what is no STUN message, e.g. channel data. */
export function decode(bytes: Buffer): StunMessage | undefined {
  if (bytes.length < headerBytes || bytes.readUInt8(0) >= 0x40 || bytes.readUInt32BE(4) !== cookie)
    return undefined;
  const type = bytes.readUInt16BE(0);
  const attributes = new Map<number, Buffer>();
  for (let at = headerBytes; at + 4 <= bytes.length;) {
    const length = bytes.readUInt16BE(at + 2);
    attributes.set(bytes.readUInt16BE(at), bytes.subarray(at + 4, at + 4 + length));
    at += 4 + padded(length);
  }
  return {
    method: (type & 0x000f) | ((type & 0x00e0) >> 1) | ((type & 0x3e00) >> 2),
    kind: classes[((type & 0x0010) >> 4) | ((type & 0x0100) >> 7)] ?? 'error',
    id: bytes.toString('hex', 8, headerBytes),
    attributes,
  };
}

/** XOR-PEER-ADDRESS and its like (RFC 8489 §14.2). IPv6 as Node writes it, `::ffff:` forms too. */
export function xorAddress({ address, port }: Address, id: string): Buffer {
  const raw = isIPv4(address) ? ipv4Bytes(address) : ipv6Bytes(address);
  const value = Buffer.alloc(4 + raw.length);
  value.writeUInt8(raw.length === 4 ? 1 : 2, 1);
  value.writeUInt16BE(port ^ (cookie >>> 16), 2);
  xorMask(id).forEach((mask, index) => {
    if (index < raw.length) value.writeUInt8(raw.readUInt8(index) ^ mask, 4 + index);
  });
  return value;
}

/** IPv4 only: the relay of the box has no other address. */
export function readXorAddress(value: Buffer, id: string): Address {
  const mask = xorMask(id);
  const bytes = [0, 1, 2, 3].map((index) => value.readUInt8(4 + index) ^ mask.readUInt8(index));
  return { address: bytes.join('.'), port: value.readUInt16BE(2) ^ (cookie >>> 16) };
}

/** Code of ERROR-CODE, e.g. 403. */
export function errorOf(message: StunMessage): { code: number; reason: string } {
  const value = message.attributes.get(attribute.errorCode) ?? Buffer.alloc(4);
  return { code: value.readUInt8(2) * 100 + value.readUInt8(3), reason: value.toString('utf8', 4) };
}

function header(message: { method: number; kind: StunMessage['kind']; id: string }, length: number): Buffer {
  const bytes = Buffer.alloc(headerBytes);
  const { method: number, kind } = message;
  const bits = classes.indexOf(kind);
  const spread = (number & 0x000f) | ((number & 0x0070) << 1) | ((number & 0x0f80) << 2);
  bytes.writeUInt16BE(spread | ((bits & 1) << 4) | ((bits & 2) << 7), 0);
  bytes.writeUInt16BE(length, 2);
  bytes.writeUInt32BE(cookie, 4);
  bytes.write(message.id, 8, 'hex');
  return bytes;
}

function encodeAttribute(type: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc(4 + padded(value.length));
  bytes.writeUInt16BE(type, 0);
  bytes.writeUInt16BE(value.length, 2);
  value.copy(bytes, 4);
  return bytes;
}

const padded = (length: number): number => Math.ceil(length / 4) * 4;

function xorMask(id: string): Buffer {
  const mask = Buffer.alloc(16);
  mask.writeUInt32BE(cookie, 0);
  mask.write(id, 4, 'hex');
  return mask;
}

const ipv4Bytes = (address: string): Buffer => Buffer.from(address.split('.').map(Number));

function ipv6Bytes(address: string): Buffer {
  // An address that ends as IPv4 does, `::ffff:127.0.0.1`.
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  const tail = dotted ? ipv4Bytes(dotted[2] ?? '') : undefined;
  const text = tail
    ? `${dotted?.[1] ?? ''}${tail.toString('hex', 0, 2)}:${tail.toString('hex', 2)}`
    : address;
  const [head = '', rest] = text.split('::');
  const groups = (part: string | undefined): string[] =>
    part === undefined || part === '' ? [] : part.split(':');
  const [front, back] = [groups(head), groups(rest)];
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => '0');
  return Buffer.from([...front, ...zeros, ...back].map((group) => group.padStart(4, '0')).join(''), 'hex');
}
