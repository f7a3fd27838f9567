/** A SIP server that a test plays word by word, for what a real one does only when things go wrong. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { waitFor } from '@siphera/testkit';
import {
  answerHeaders,
  headerOf,
  readSip,
  uriOf,
  writeSip,
  type SipMessage,
} from '../domain/alarm-sip-message.ts';

export type PlayedServer = AsyncDisposable & {
  port: number;
  count(method: string): number;
  /** The next request of this method that was not taken before. */
  next(method: string): Promise<SipMessage>;
  answer(request: SipMessage, status: number, more?: { headers?: [string, string][]; body?: string }): void;
  /** A request in the dialog of an INVITE; @returns the status it was answered with. */
  ask(
    invite: SipMessage,
    method: string,
    more?: { headers?: [string, string][]; body?: string },
  ): Promise<number>;
  /** Bytes to where the last request came from. */
  raw(text: string): void;
};

/** The tag of the one who is called. */
const tag = 'played';

export async function playServer(address: string): Promise<PlayedServer> {
  const socket = createSocket('udp4');
  socket.bind(0, address);
  await once(socket, 'listening');
  const heard: SipMessage[] = [];
  const taken = new Set<SipMessage>();
  let from = { address, port: 9 };
  socket.on('message', (bytes, sender) => {
    const message = readSip(bytes.toString());
    from = sender;
    if (message) heard.push(message);
  });
  const raw = (text: string): void => socket.send(text, from.port, from.address);
  const take = (what: string, fits: (message: SipMessage) => boolean): Promise<SipMessage> =>
    waitFor(
      what,
      () => {
        const found = heard.find((message) => !taken.has(message) && fits(message));
        if (found) taken.add(found);
        return found;
      },
      30_000,
    );
  let asked = 0;
  return {
    port: socket.address().port,
    count: (method) => heard.filter((one) => one.method === method).length,
    next: (method) => take(method, (one) => one.method === method),
    answer: (request, status, { headers = [], body = '' } = {}) => {
      const own = answerHeaders(request).map(([name, value]): [string, string] => [
        name,
        name === 'To' && !value.includes('tag=') ? `${value};tag=${tag}` : value,
      ]);
      const contact: [string, string] = ['Contact', `<sip:played@${address}:${socket.address().port}>`];
      raw(writeSip(`SIP/2.0 ${status} Played`, [...own, contact, ...headers], body));
    },
    ask: async (invite, method, { headers = [], body = '' } = {}) => {
      const cseq = `${(asked += 1)} ${method}`;
      const text = writeSip(
        `${method} ${uriOf(headerOf(invite, 'contact')) ?? ''} SIP/2.0`,
        [
          ['Via', `SIP/2.0/UDP ${address}:${socket.address().port};branch=z9hG4bKplayed${asked}`],
          ['From', `${headerOf(invite, 'to') ?? ''};tag=${tag}`],
          ['To', headerOf(invite, 'from') ?? ''],
          ['Call-ID', headerOf(invite, 'call-id') ?? ''],
          ['CSeq', cseq],
          ...headers,
        ],
        body,
      );
      raw(text);
      const answer = await take(
        `the answer to ${method}`,
        (one) => headerOf(one, 'cseq') === cseq && one.status !== undefined,
      );
      return answer.status ?? 0;
    },
    raw,
    [Symbol.asyncDispose]: async () => {
      await new Promise<void>((resolve) => socket.close(resolve));
    },
  };
}
