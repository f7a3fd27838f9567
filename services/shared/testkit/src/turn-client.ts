/**
 * A TURN client (RFC 8656) over UDP that asks for whatever a test wants, also for what no browser would ask: permissions for
 * loopback, TCP relaying, IPv6 forms of IPv4 addresses.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { freePort } from './ports.ts';
import {
  type Address,
  attribute,
  type Attributes,
  decode,
  encode,
  errorOf,
  method,
  newId,
  readXorAddress,
  type Signing,
  type StunMessage,
  xorAddress,
} from './stun-message.ts';

/** On loopback; a request that was lost is not sent again, the test fails. */
const answerMsMax = 30_000;
const transportUdp = 17;
export const transportTcp = 6;

/** What the server said instead of yes. */
export class TurnRefusal extends Error {
  readonly code: number;
  constructor(code: number, reason: string) {
    super(`${code} ${reason}`);
    this.code = code;
  }
}

export type Received = { from: Address; data: Buffer };
export type TurnClient = AsyncDisposable & {
  /** What came through the relay, in order. */
  readonly received: readonly Received[];
  /** @param wanted transport 17 UDP (as all browsers) or 6 TCP; `ipv6` asks for a relay address of that family. @throws TurnRefusal */
  allocate: (wanted?: {
    transport?: number;
    ipv6?: boolean;
  }) => Promise<{ relayed: Address; lifetimeSeconds: number }>;
  /** @throws TurnRefusal 403 for a forbidden peer */
  permit: (address: string) => Promise<void>;
  /** @throws TurnRefusal 403 for a forbidden peer */
  bindChannel: (peer: Address) => Promise<void>;
  /** TCP (RFC 6062). @throws TurnRefusal */
  connectTcp: (peer: Address) => Promise<void>;
  /** Seconds that the allocation lives from now on, as the relay grants them. @throws TurnRefusal */
  refresh: (lifetimeSeconds: number) => Promise<number>;
  /** A Send indication: there is no answer, whatever becomes of it. */
  send: (peer: Address, data: Buffer) => void;
};

export async function openTurn(options: {
  server: Address;
  username: string;
  password: string;
}): Promise<TurnClient> {
  const socket = createSocket('udp4');
  // The relay keeps an allocation by the port it came from, also when that client has gone: no port is used twice.
  socket.bind(await freePort(), '127.0.0.1');
  await once(socket, 'listening');
  socket.connect(options.server.port, options.server.address);
  await once(socket, 'connect');
  const received: Received[] = [];
  const waiting = new Map<string, (message: StunMessage) => void>();
  socket.on('message', (bytes) => {
    const message = decode(bytes);
    if (!message) return;
    if (message.method === method.data) received.push(dataOf(message));
    else waiting.get(message.id)?.(message);
  });
  const ask = createAsk(socket, waiting, options);
  const address = (peer: Address) => (id: string) =>
    [[attribute.peer, xorAddress(peer, id)]] satisfies Attributes;
  let channels = 0;
  const close = async () => {
    socket.close();
    await once(socket, 'close');
  };
  return {
    received,
    allocate: async ({ transport = transportUdp, ipv6 = false } = {}) => {
      const family = [attribute.requestedFamily, Buffer.from([2, 0, 0, 0])] as const;
      const wanted: Attributes = [
        [attribute.requestedTransport, Buffer.from([transport, 0, 0, 0])],
        ...(ipv6 ? [family] : []),
      ];
      const answer = await ask(method.allocate, () => wanted);
      return {
        relayed: readXorAddress(valueOf(answer, attribute.relayed), answer.id),
        lifetimeSeconds: valueOf(answer, attribute.lifetime).readUInt32BE(0),
      };
    },
    permit: async (peer) => {
      await ask(method.createPermission, address({ address: peer, port: 0 }));
    },
    bindChannel: async (peer) => {
      const channel = [attribute.channelNumber, Buffer.from([0x40, channels, 0, 0])] as const;
      channels += 1;
      await ask(method.channelBind, (id) => [channel, ...address(peer)(id)]);
    },
    connectTcp: async (peer) => {
      await ask(method.connect, address(peer));
    },
    refresh: async (lifetimeSeconds) => {
      const value = Buffer.alloc(4);
      value.writeUInt32BE(lifetimeSeconds);
      const answer = await ask(method.refresh, () => [[attribute.lifetime, value]]);
      return valueOf(answer, attribute.lifetime).readUInt32BE(0);
    },
    send: (peer, data) => {
      const id = newId();
      const attributes = [...address(peer)(id), [attribute.data, data] as const];
      socket.send(encode({ method: method.send, kind: 'indication', id, attributes }));
    },
    [Symbol.asyncDispose]: close,
  };
}

/** A request; the first answer, 401 with realm and nonce, is taken up by itself. */
function createAsk(
  socket: Socket,
  waiting: Map<string, (message: StunMessage) => void>,
  { username, password }: { username: string; password: string },
) {
  let signing: Signing | undefined;
  const once = (number: number, attributes: (id: string) => Attributes): Promise<StunMessage> => {
    const id = newId();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(id);
        reject(new Error(`The relay did not answer request ${number.toString(16)}`));
      }, answerMsMax);
      waiting.set(id, (message) => {
        clearTimeout(timer);
        waiting.delete(id);
        resolve(message);
      });
      const message = { method: number, kind: 'request', id, attributes: attributes(id) } as const;
      socket.send(encode(message, signing));
    });
  };
  return async (number: number, attributes: (id: string) => Attributes): Promise<StunMessage> => {
    let answer = await once(number, attributes);
    if (!signing && answer.kind === 'error' && errorOf(answer).code === 401) {
      const text = (type: number): string => valueOf(answer, type).toString('utf8');
      signing = { username, password, realm: text(attribute.realm), nonce: text(attribute.nonce) };
      answer = await once(number, attributes);
    }
    if (answer.kind === 'success') return answer;
    const { code, reason } = errorOf(answer);
    throw new TurnRefusal(code, reason);
  };
}

function dataOf(message: StunMessage): Received {
  return {
    from: readXorAddress(valueOf(message, attribute.peer), message.id),
    data: valueOf(message, attribute.data),
  };
}

function valueOf(message: StunMessage, type: number): Buffer {
  const value = message.attributes.get(type);
  if (!value) throw new Error(`An answer of the relay lacks attribute ${type.toString(16)}`);
  return value;
}
