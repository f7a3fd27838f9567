/**
 * A phone that says what a test wants, also what no phone would: SIP by UDP, TCP or websocket, written by hand. What must stay
 * true: it answers nothing by itself but what it was told to, and keeps all that came.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import {
  digestAnswer,
  parseSip,
  phoneSdp,
  type SipMessage,
  sipTag,
  sipToken,
  sipUri,
} from './sip-message.ts';
import { openSipSocket } from './sip-link.ts';
import { waitFor } from './wait.ts';

const msMax = 30_000;

type Wire = { address: string; port: number; send: (text: string) => void; close: () => void };

export type PhoneOptions = {
  server: { address: string; port: number };
  transport?: 'udp' | 'tcp' | 'ws';
  /** Of loopback. */
  address?: string;
  domain: string;
  number?: string;
  /** For digest. */
  username?: string;
  password?: string;
  /** Of the page, with a websocket. */
  origin?: string;
  /** Called with each message as it comes, e.g. to take the time. */
  onMessage?: (message: SipMessage) => void;
};

export type InviteOptions = {
  /** What stands instead of `sip:<number>@<domain>`. */
  uri?: string;
  from?: string;
  headers?: readonly string[];
  contentType?: string;
  body?: string;
  callId?: string;
  /** With the credential at once, as a phone does that has called before: its nonce is of a REGISTER. */
  authorised?: boolean;
};

/** A call that this phone has begun, or that has come to it. */
export type PhoneCall = {
  callId: string;
  /** All messages of the call, in order. */
  messages: () => SipMessage[];
  /** Waits for an answer with one of these codes (`2`: 200 and what is like it). */
  status: (wanted: string, method?: string) => Promise<SipMessage>;
  /** Waits for a request. */
  request: (method: string, count?: number) => Promise<SipMessage>;
  ack: (body?: string) => void;
  cancel: () => void;
  /** Sends it in the dialog. */
  send: (
    method: string,
    options?: { headers?: readonly string[]; contentType?: string; body?: string },
  ) => void;
  answer: (request: SipMessage, line: string, options?: { contentType?: string; body?: string }) => void;
};

export type RawPhone = AsyncDisposable & {
  address: string;
  port: number;
  messages: readonly SipMessage[];
  /** Bytes as they are. */
  write: (text: string) => void;
  invite: (number: string, options?: InviteOptions) => PhoneCall;
  /** Signs in, by digest. */
  register: (seconds?: number) => Promise<SipMessage>;
  /** Waits for a call to this phone. */
  called: (count?: number) => Promise<{ invite: SipMessage; call: PhoneCall }>;
  /** Waits for the MESSAGE that comes as number `count`, and says 200 to all. */
  notice: (count?: number) => Promise<SipMessage>;
  close: () => void;
};

export async function openRawPhone(options: PhoneOptions): Promise<RawPhone> {
  const messages: SipMessage[] = [];
  const { transport = 'udp', number = 'stranger', domain } = options;
  const heard = (raw: string): void => {
    if (raw.trim() === '') return;
    const message = parseSip(raw);
    messages.push(message);
    options.onMessage?.(message);
    if (message.method === 'MESSAGE') wire.send(answerTo(message, '200 OK', contact()));
    if (message.method === 'OPTIONS' || message.method === 'BYE')
      wire.send(answerTo(message, '200 OK', contact()));
  };
  const wire = await openWire(options, heard);
  const contact = (): string =>
    transport === 'ws'
      ? `<sip:${number}@hidden.invalid;transport=ws>`
      : `<sip:${number}@${wire.address}:${wire.port};transport=${transport}>`;
  const via = (): string =>
    `SIP/2.0/${transport.toUpperCase()} ${transport === 'ws' ? 'hidden.invalid' : `${wire.address}:${wire.port}`};branch=z9hG4bK${sipToken()};rport`;
  let challenge: string | undefined;
  const credential = (method: string, uri: string): string => {
    const { username = number, password = '' } = options;
    return digestAnswer(challenge ?? '', { username, password, method, uri });
  };
  const call = (start: { callId: string; from: string; to: string; uri: string; via: string }): PhoneCall =>
    createCall({ start, messages, wire, contact, via });

  return {
    address: wire.address,
    port: wire.port,
    messages,
    write: wire.send,
    invite(dialled, wanted = {}) {
      const { callId = `${sipToken()}@phone`, headers = [], body = phoneSdp(wire.address, 40_000) } = wanted;
      const uri = wanted.uri ?? `sip:${dialled}@${domain}`;
      const from = `${wanted.from ?? `<sip:${number}@${domain}>`};tag=${sipToken()}`;
      const to = `<${uri}>`;
      const branch = via();
      const lines = [
        `INVITE ${uri} SIP/2.0`,
        `Via: ${branch}`,
        'Max-Forwards: 70',
        `From: ${from}`,
        `To: ${to}`,
      ];
      lines.push(`Call-ID: ${callId}`, 'CSeq: 1 INVITE', `Contact: ${contact()}`, ...headers);
      if (wanted.authorised) lines.push(`Proxy-Authorization: ${credential('INVITE', uri)}`);
      if (body !== '') lines.push(`Content-Type: ${wanted.contentType ?? 'application/sdp'}`);
      wire.send(`${lines.join('\r\n')}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
      return call({ callId, from, to, uri, via: branch });
    },
    async register(seconds = 60) {
      const uri = `sip:${domain}`;
      const callId = `${sipToken()}@phone`;
      const from = `<sip:${number}@${domain}>;tag=${sipToken()}`;
      const send = (sequence: number, more: readonly string[]): void =>
        wire.send(
          `${[`REGISTER ${uri} SIP/2.0`, `Via: ${via()}`, 'Max-Forwards: 70', `From: ${from}`, `To: <sip:${number}@${domain}>`, `Call-ID: ${callId}`, `CSeq: ${sequence} REGISTER`, `Contact: ${contact()}`, `Expires: ${seconds}`, ...more].join('\r\n')}\r\nContent-Length: 0\r\n\r\n`,
        );
      const answers = (): SipMessage[] =>
        messages.filter((message) => message.status !== undefined && message.header('call-id') === callId);
      send(1, []);
      const asked = await waitFor('the challenge', () => answers()[0], msMax);
      challenge = asked.header('www-authenticate');
      send(2, [`Authorization: ${credential('REGISTER', uri)}`]);
      return waitFor('the answer to REGISTER', () => answers()[1], msMax);
    },
    async called(count = 1) {
      const invite = await waitFor(
        `call ${count}`,
        () =>
          uniqueRequests(messages, 'INVITE').filter((message) => sipTag(message.header('to')) === undefined)[
            count - 1
          ],
        msMax,
      );
      const callId = invite.header('call-id') ?? '';
      const [from = '', to = ''] = [invite.header('to'), invite.header('from')];
      return { invite, call: call({ callId, from: `${from};tag=callee`, to, uri: '', via: '' }) };
    },
    notice: (count = 1) =>
      waitFor(`notice ${count}`, () => uniqueRequests(messages, 'MESSAGE')[count - 1], msMax),
    close: wire.close,
    [Symbol.asyncDispose]: () => {
      wire.close();
      return Promise.resolve();
    },
  };
}

function uniqueRequests(messages: readonly SipMessage[], method: string): SipMessage[] {
  const seen = new Set<string>();
  return messages.filter((message) => {
    const key = message.all('via')[0] ?? '';
    return message.method === method && !seen.has(key) && seen.add(key);
  });
}

function answerTo(
  request: SipMessage,
  line: string,
  contact: string,
  tag = 'callee',
  type = '',
  body = '',
): string {
  const to = request.header('to') ?? '';
  return [
    `SIP/2.0 ${line}`,
    ...request.all('via').map((value) => `Via: ${value}`),
    ...request.all('record-route').map((value) => `Record-Route: ${value}`),
    `From: ${request.header('from')}`,
    `To: ${to}${sipTag(to) === undefined ? `;tag=${tag}` : ''}`,
    `Call-ID: ${request.header('call-id')}`,
    `CSeq: ${request.header('cseq')}`,
    `Contact: ${contact}`,
    ...(type === '' ? [] : [`Content-Type: ${type}`]),
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

function createCall(options: {
  start: { callId: string; from: string; to: string; uri: string; via: string };
  messages: readonly SipMessage[];
  wire: Wire;
  contact: () => string;
  via: () => string;
}): PhoneCall {
  const { start, messages, wire, contact, via } = options;
  const { callId, from, to, uri } = start;
  let sequence = 1;
  const own = (): SipMessage[] => messages.filter((message) => message.header('call-id') === callId);
  /** What the far end said of the dialog: the newest 2xx, or the INVITE that came. */
  const dialog = () => {
    const answer = own().findLast(
      (message) =>
        message.status !== undefined && message.status < 300 && message.header('contact') !== undefined,
    );
    const came = own().find(({ method }) => method === 'INVITE');
    const source = answer ?? came;
    if (!source) return { target: uri, routes: [] as string[], to };
    const routes = source.all('record-route').flatMap((value) => value.split(/,\s*/));
    const target = sipUri(source.header('contact')) ?? uri;
    return answer
      ? { target, routes: routes.toReversed(), to: answer.header('to') ?? to }
      : { target, routes, to };
  };
  const inDialog = (method: string, number: number, more: readonly string[], body: string): void => {
    const { target, routes, to: far } = dialog();
    const lines = [
      `${method} ${target} SIP/2.0`,
      `Via: ${via()}`,
      'Max-Forwards: 70',
      ...routes.map((route) => `Route: ${route}`),
    ];
    lines.push(
      `From: ${from}`,
      `To: ${far}`,
      `Call-ID: ${callId}`,
      `CSeq: ${number} ${method}`,
      `Contact: ${contact()}`,
      ...more,
    );
    wire.send(`${lines.join('\r\n')}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  };
  return {
    callId,
    messages: own,
    status: (wanted, method = 'INVITE') =>
      waitFor(
        `${wanted} to ${method} of ${callId}`,
        () =>
          own().find(
            (message) =>
              message.status !== undefined &&
              String(message.status).startsWith(wanted) &&
              message.header('cseq')?.endsWith(` ${method}`),
          ),
        msMax,
      ),
    request: (method, count = 1) =>
      waitFor(`${method} in ${callId}`, () => uniqueRequests(own(), method)[count - 1], msMax),
    ack: (body = '') => inDialog('ACK', sequence, body === '' ? [] : ['Content-Type: application/sdp'], body),
    cancel: () =>
      wire.send(
        `${[`CANCEL ${uri} SIP/2.0`, `Via: ${start.via}`, 'Max-Forwards: 70', `From: ${from}`, `To: ${to}`, `Call-ID: ${callId}`, 'CSeq: 1 CANCEL'].join('\r\n')}\r\nContent-Length: 0\r\n\r\n`,
      ),
    send: (method, { headers = [], contentType, body = '' } = {}) => {
      sequence += 1;
      inDialog(
        method,
        sequence,
        [...headers, ...(contentType === undefined ? [] : [`Content-Type: ${contentType}`])],
        body,
      );
    },
    answer: (request, line, { contentType = '', body = '' } = {}) =>
      wire.send(answerTo(request, line, contact(), 'callee', contentType, body)),
  };
}

async function openWire(options: PhoneOptions, heard: (raw: string) => void): Promise<Wire> {
  const { server, transport = 'udp', address = '127.0.0.1' } = options;
  if (transport === 'udp') {
    const socket = createSocket('udp4', (packet) => heard(packet.toString('latin1')));
    socket.on('error', () => undefined);
    socket.bind(0, address);
    await once(socket, 'listening');
    const { port } = socket.address();
    const send = (text: string): void => socket.send(Buffer.from(text, 'utf8'), server.port, server.address);
    return { address, port, send, close: () => socket.close() };
  }
  if (transport === 'tcp') {
    const socket = createConnection({ port: server.port, host: server.address, localAddress: address });
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    let rest = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      rest += text;
      for (let length = wholeMessage(rest); length > 0; length = wholeMessage(rest)) {
        heard(rest.slice(0, length));
        rest = rest.slice(length);
      }
    });
    return {
      address,
      port: socket.localPort ?? 0,
      send: (text) => void socket.write(text),
      close: () => socket.destroy(),
    };
  }
  const origin = options.origin ?? `https://${options.domain}`;
  const socket = openSipSocket(`ws://${server.address}:${server.port}/sip`, { origin });
  socket.addEventListener('message', ({ data }) => heard(String(data)));
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('error', () => reject(new Error('The websocket was refused')));
  });
  return { address, port: 0, send: (text) => socket.send(text), close: () => socket.close() };
}

/** Bytes of the first message of a stream, or 0 while it has not come whole. */
function wholeMessage(text: string): number {
  const edge = text.indexOf('\r\n\r\n');
  if (edge < 0) return 0;
  const length = Number(/^(?:content-length|l)\s*:\s*(\d+)/im.exec(text.slice(0, edge))?.[1] ?? 0);
  return text.length >= edge + 4 + length ? edge + 4 + length : 0;
}
