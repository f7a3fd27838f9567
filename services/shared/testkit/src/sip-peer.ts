/**
 * A SIP end of a test by UDP: a phone, a trunk or an attacker that sends exactly what it is told. It answers OPTIONS by itself, signs
 * in to challenges when it has credentials, and keeps all that it received.
 */
import { openUdpLink, openWebsocketLink, type SipLink, type WebsocketOptions } from './sip-link.ts';
import {
  digestAnswer,
  parseSip,
  phoneSdp,
  type SipMessage,
  sipTag,
  sipToken,
  sipUri,
} from './sip-message.ts';
import { waitFor } from './wait.ts';

export type SipPeerOptions = {
  /** Where requests go. */
  server: { address: string; port: number; domain: string };
  /** Own address, one of 127.0.0.0/8 for example; limits and trunks are by address. By a websocket it is not looked at. */
  address: string;
  /** As a browser instead of by UDP. */
  websocket?: WebsocketOptions;
  port?: number;
  /** Who it says it is. */
  number?: string;
  credentials?: { username: string; password: string };
  /** A dead trunk: it answers nothing. */
  silent?: boolean;
};
export type SipRequest = {
  uri?: string;
  headers?: readonly string[];
  body?: string;
  contentType?: string;
  from?: string;
  to?: string;
  callId?: string;
  cseq?: number;
  fromTag?: string;
  contact?: string;
  /** Answers no challenge. */
  anonymous?: boolean;
};
export type SipDialog = {
  callId: string;
  localTag: string;
  remoteTag: string;
  /** Of the first transaction: a 2xx, or the INVITE that was answered. */
  message: SipMessage;
  routes: string[];
  target: string;
  local: string;
  remote: string;
  cseq: number;
};

export type SipPeer = AsyncDisposable & {
  address: string;
  port: number;
  received: SipMessage[];
  /** The newest hundred. */
  sent: string[];
  send: (text: string) => void;
  /** The text of a request with a Via and Call-ID of its own. */
  build: (method: string, request?: SipRequest) => string;
  /** Sends it, answers a challenge, acknowledges; @returns the final answer. */
  request: (method: string, request?: SipRequest) => Promise<SipMessage>;
  register: (expires?: number, request?: SipRequest) => Promise<SipMessage>;
  /** A call with SDP. @throws unless it is answered with 2xx. */
  call: (user: string, request?: SipRequest) => Promise<SipDialog>;
  /** The next message that fits and was not taken before. */
  next: (what: string, fits: (message: SipMessage) => boolean, timeoutMs?: number) => Promise<SipMessage>;
  nextRequest: (method: string, timeoutMs?: number) => Promise<SipMessage>;
  /** @returns the dialog as the one who was called has it. */
  answer: (
    request: SipMessage,
    status: number,
    options?: { headers?: readonly string[]; body?: string; tag?: string },
  ) => SipDialog;
  within: (dialog: SipDialog, method: string, request?: SipRequest) => Promise<SipMessage>;
  /** As `within`, without waiting for an answer. */
  buildWithin: (dialog: SipDialog, method: string, request?: SipRequest) => string;
  close: () => Promise<void>;
};

/** Enough to find the INVITE that is to be cancelled. */
const sentMax = 100;

export async function openSipPeer(options: SipPeerOptions): Promise<SipPeer> {
  const received: SipMessage[] = [];
  const taken = new Set<SipMessage>();
  const sent: string[] = [];
  const hear = (text: string) => {
    if (options.silent === true) return;
    const message = parseSip(text);
    if (message.method === 'OPTIONS') send(answerText(message, 200, link));
    else received.push(message);
  };
  const link: SipLink = options.websocket
    ? await openWebsocketLink(options.websocket, hear)
    : await openUdpLink(options.server, { address: options.address, port: options.port ?? 0 }, hear);
  const send = (text: string) => {
    sent.push(text);
    if (sent.length > sentMax) sent.shift();
    link.send(text);
  };
  const next: SipPeer['next'] = (what, fits, timeoutMs) =>
    waitFor(
      what,
      () => {
        const found = received.find((message) => !taken.has(message) && fits(message));
        if (found) taken.add(found);
        return found;
      },
      timeoutMs,
    );
  const build: SipPeer['build'] = (method, request = {}) => requestText(options, link, method, request);
  const transact = (method: string, text: string) => exchange({ send, next }, method, text);
  const request: SipPeer['request'] = async (method, wanted = {}) => {
    const fixed = { callId: sipToken(), fromTag: sipToken(), cseq: 1, ...wanted };
    const first = await transact(method, build(method, fixed));
    const challenge = first.header('www-authenticate') ?? first.header('proxy-authenticate');
    if (challenge === undefined || !options.credentials || wanted.anonymous === true) return first;
    const uri = fixed.uri ?? `sip:${options.server.domain}`;
    const name = first.status === 401 ? 'Authorization' : 'Proxy-Authorization';
    const proof = `${name}: ${digestAnswer(challenge, { ...options.credentials, method, uri })}`;
    return transact(
      method,
      build(method, { ...fixed, cseq: fixed.cseq + 1, headers: [...(fixed.headers ?? []), proof] }),
    );
  };
  const buildWithin: SipPeer['buildWithin'] = (dialog, method, wanted = {}) => {
    if (method !== 'ACK') dialog.cseq += 1;
    const { headers = [], ...rest } = wanted;
    return build(method, {
      uri: dialog.target,
      from: `${dialog.local};tag=${dialog.localTag}`,
      to: `${dialog.remote};tag=${dialog.remoteTag}`,
      callId: dialog.callId,
      cseq: dialog.cseq,
      headers: [...dialog.routes.map((route) => `Route: ${route}`), ...headers],
      ...rest,
    });
  };
  const within: SipPeer['within'] = async (dialog, method, wanted = {}) => {
    const answer = await transact(method, buildWithin(dialog, method, wanted));
    const challenge = answer.header('proxy-authenticate') ?? answer.header('www-authenticate');
    if (challenge === undefined || !options.credentials || wanted.anonymous === true) return answer;
    const uri = wanted.uri ?? dialog.target;
    const name = answer.status === 401 ? 'Authorization' : 'Proxy-Authorization';
    const proof = `${name}: ${digestAnswer(challenge, { ...options.credentials, method, uri })}`;
    return transact(
      method,
      buildWithin(dialog, method, { ...wanted, headers: [...(wanted.headers ?? []), proof] }),
    );
  };
  return {
    address: link.address,
    port: link.port,
    received,
    sent,
    send,
    build,
    request,
    register: (expires = 60, wanted = {}) =>
      request('REGISTER', { headers: [`Expires: ${expires}`], to: addressOf(options), ...wanted }),
    call: async (user, wanted = {}) => {
      const uri = `sip:${user}@${options.server.domain}`;
      const answer = await request('INVITE', {
        uri,
        to: `<${uri}>`,
        contentType: 'application/sdp',
        body: phoneSdp(options.address, 20_000),
        ...wanted,
      });
      if (answer.status === undefined || answer.status >= 300)
        throw new Error(`The call to ${user} failed: ${answer.startLine}`);
      const dialog = dialogOf(answer, 'from', 'to');
      dialog.routes.reverse();
      send(buildWithin(dialog, 'ACK'));
      return dialog;
    },
    next,
    nextRequest: (method, timeoutMs) =>
      next(`a ${method}`, (message) => message.method === method, timeoutMs),
    answer: (message, status, wanted = {}) => {
      const tag = wanted.tag ?? 'answerer';
      send(answerText(message, status, link, { ...wanted, tag }));
      return { ...dialogOf(message, 'to', 'from'), localTag: tag, cseq: 100 };
    },
    within,
    buildWithin,
    close: link.close,
    [Symbol.asyncDispose]: link.close,
  };
}

const addressOf = ({ number = 'nobody', server }: SipPeerOptions) => `<sip:${number}@${server.domain}>`;

/** Sends again until something comes, as RFC 3261 has it by UDP. */
async function exchange(
  { send, next }: Pick<SipPeer, 'send' | 'next'>,
  method: string,
  text: string,
): Promise<SipMessage> {
  const asked = parseSip(text);
  const [callId, cseq] = [asked.header('call-id'), asked.header('cseq')];
  const again = setInterval(() => send(text), 1_000);
  send(text);
  try {
    const answer = await next(`the answer to ${asked.startLine}`, (message) => {
      if (message.status !== undefined && message.header('call-id') === callId) clearInterval(again);
      return (
        message.status !== undefined &&
        message.status >= 200 &&
        message.header('call-id') === callId &&
        message.header('cseq') === cseq
      );
    });
    if (method === 'INVITE' && (answer.status ?? 0) >= 300) send(ackText(asked, answer));
    return answer;
  } finally {
    clearInterval(again);
  }
}

function requestText(options: SipPeerOptions, link: SipLink, method: string, request: SipRequest): string {
  const { domain } = options.server;
  const { body = '', number = options.number ?? 'nobody' } = { ...request, number: options.number };
  const from = request.from ?? `<sip:${number}@${domain}>;tag=${request.fromTag ?? sipToken()}`;
  return [
    `${method} ${request.uri ?? `sip:${domain}`} SIP/2.0`,
    `Via: SIP/2.0/${link.via};rport;branch=z9hG4bK${sipToken()}`,
    'Max-Forwards: 70',
    `From: ${from}`,
    `To: ${request.to ?? `<sip:${domain}>`}`,
    `Call-ID: ${request.callId ?? sipToken()}`,
    `CSeq: ${request.cseq ?? 1} ${method}`,
    `Contact: ${request.contact ?? link.contact(number)}`,
    ...(request.headers ?? []),
    ...(request.contentType === undefined ? [] : [`Content-Type: ${request.contentType}`]),
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

function answerText(
  request: SipMessage,
  status: number,
  link: SipLink,
  {
    headers = [],
    body = '',
    tag = 'answerer',
  }: { headers?: readonly string[]; body?: string; tag?: string } = {},
): string {
  const to = request.header('to') ?? '';
  return [
    `SIP/2.0 ${status} ${status < 300 ? 'OK' : 'No'}`,
    ...request.all('via').map((via) => `Via: ${via}`),
    ...request.all('record-route').map((route) => `Record-Route: ${route}`),
    `From: ${request.header('from') ?? ''}`,
    `To: ${sipTag(to) === undefined && status > 100 ? `${to};tag=${tag}` : to}`,
    `Call-ID: ${request.header('call-id') ?? ''}`,
    `CSeq: ${request.header('cseq') ?? ''}`,
    `Contact: ${link.contact('peer')}`,
    ...headers,
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

/** For an answer that is no 2xx: hop by hop, with the Via of the request. */
const ackText = (request: SipMessage, answer: SipMessage): string =>
  [
    request.startLine.replace(/^INVITE/, 'ACK'),
    `Via: ${request.header('via') ?? ''}`,
    'Max-Forwards: 70',
    `From: ${request.header('from') ?? ''}`,
    `To: ${answer.header('to') ?? ''}`,
    `Call-ID: ${request.header('call-id') ?? ''}`,
    `CSeq: ${request.header('cseq')?.split(' ')[0] ?? '1'} ACK`,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');

function dialogOf(message: SipMessage, local: 'from' | 'to', remote: 'from' | 'to'): SipDialog {
  const [mine, theirs] = [message.header(local) ?? '', message.header(remote) ?? ''];
  return {
    callId: message.header('call-id') ?? '',
    localTag: sipTag(mine) ?? '',
    remoteTag: sipTag(theirs) ?? '',
    message,
    routes: message.all('record-route').flatMap((value) => value.split(/,\s*(?=<)/)),
    target: sipUri(message.header('contact')) ?? '',
    local: mine.replace(/;tag=.*$/, ''),
    remote: theirs.replace(/;tag=.*$/, ''),
    cseq: Number(message.header('cseq')?.split(' ')[0] ?? 1),
  };
}
