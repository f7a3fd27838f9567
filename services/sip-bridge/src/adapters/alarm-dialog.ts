/**
 * One SIP call from the box to somebody, by way of Kamailio and by UDP: INVITE with digest, CANCEL, BYE, and what the other end asks
 * in between. What must stay true: it ends, whatever the other end does or does not; everything that is answered is acknowledged.
 * Why it is our own: docs/adr/0016-alarm-calls-by-our-own-user-agent.md.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIP } from 'node:net';
import type { Clock, Random } from '@siphera/runtime';
import { offerSdp, readSound, type RemoteSound } from '../domain/alarm-sdp.ts';
import {
  answerHeaders,
  branchOf,
  cseqOf,
  digestAnswer,
  headerOf,
  readSip,
  routeSetOf,
  tagOf,
  uriOf,
  writeSip,
  type DigestLogin,
  type SipMessage,
} from '../domain/alarm-sip-message.ts';

type DialogOptions = {
  server: { host: string; port: number };
  domain: string;
  /** Who calls, and how he proves it. */
  from: { number: string; name: string };
  login: DigestLogin;
  to: string;
  headers: Readonly<Record<string, string>>;
  clock: Clock;
  random: Random;
};
type DialogEvents = {
  /** The other end rings, or another first word came. */
  onRinging(): void;
  onSound(sound: RemoteSound): void;
  onAnswer(): void;
  onKey(digit: string): void;
  /** Once, and nothing after it. `code`: what the INVITE was answered with; undefined: with nothing. */
  onEnd(end: { answered: boolean; code: number | undefined; reason: string }): void;
};

/** RFC 3261 §17.1.1.1. */
const t1Ms = 500;
const resendMsMax = 4_000;
/** Kamailio is on this machine or beside it: RFC 3261 would wait for 32 s, in which the next person could be called. */
const firstWordMsMax = 8_000;
/** After a CANCEL or BYE nobody answers. */
const goodbyeMsMax = 4_000;

type Sent = { branch: string; method: string; cseq: number; text: string; timer?: NodeJS.Timeout };

export class AlarmDialog {
  readonly #options: DialogOptions;
  readonly #events: DialogEvents;
  readonly #socket: Socket;
  readonly #callId: string;
  readonly #localTag: string;
  readonly #invites: Sent[] = [];
  #bye: Sent | undefined;
  #cancel: Sent | undefined;
  #state: 'dialling' | 'talking' | 'leaving' | 'over' = 'dialling';
  #heard = false;
  #proved = false;
  #wantsCancel = false;
  #cseq = 0;
  #body = '';
  #answer: SipMessage | undefined;
  #code: number | undefined;
  #deadline: NodeJS.Timeout | undefined;

  private constructor(socket: Socket, options: DialogOptions, events: DialogEvents) {
    this.#socket = socket;
    this.#options = options;
    this.#events = events;
    this.#callId = options.random.uuid();
    this.#localTag = this.#token();
  }

  static async open(options: DialogOptions, events: DialogEvents): Promise<AlarmDialog> {
    const { host, port } = options.server;
    const socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4');
    const dialog = new AlarmDialog(socket, options, events);
    socket.on('message', (bytes) => dialog.#take(bytes));
    // Nobody listens there (ICMP): the deadline says so in words.
    socket.on('error', () => undefined);
    // From the server alone: connected, the kernel drops everything else.
    socket.connect(port, host);
    try {
      await once(socket, 'connect');
    } catch (error) {
      socket.close();
      throw error;
    }
    return dialog;
  }

  /** Address of this machine on the way to the server. */
  get address(): string {
    return this.#socket.address().address;
  }

  invite(media: { address: string; port: number }): void {
    this.#body = offerSdp({ ...media, id: this.#options.random.bytes(4).readUInt32BE() });
    this.#sendInvite();
    this.#deadline = setTimeout(() => {
      this.#finish(undefined, 'The SIP server does not answer');
    }, firstWordMsMax);
  }

  /** Hangs up, or takes the call back while it rings. */
  leave(): void {
    if (this.#state === 'talking') this.#sendBye();
    else if (this.#state === 'dialling') {
      this.#wantsCancel = true;
      // Before a first word there is nothing to take back (RFC 3261 §9.1); it is done when that comes.
      if (this.#heard) this.#sendCancel();
    }
  }

  #sendInvite(authorization?: readonly [string, string]): void {
    const { headers } = this.#options;
    const invite = this.#request('INVITE', (this.#cseq += 1), [
      ...(authorization ? [authorization] : []),
      ...Object.entries(headers),
      ['Content-Type', 'application/sdp'],
    ]);
    this.#invites.push(invite);
    this.#sendAgain(invite);
  }

  #sendCancel(): void {
    const invite = this.#invites.at(-1);
    if (this.#cancel || !invite) return;
    this.#cancel = this.#request('CANCEL', invite.cseq, [], invite.branch);
    this.#sendAgain(this.#cancel);
    this.#endWithin('Taken back');
  }

  #sendBye(): void {
    this.#state = 'leaving';
    this.#bye = this.#request('BYE', (this.#cseq += 1), []);
    this.#sendAgain(this.#bye);
    this.#endWithin('Hung up');
  }

  #endWithin(reason: string): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#finish(this.#code, reason), goodbyeMsMax);
  }

  #request(
    method: string,
    cseq: number,
    headers: readonly (readonly [string, string])[],
    branch = `z9hG4bK${this.#token()}`,
  ): Sent {
    const { domain, from, to } = this.#options;
    const { address, port } = this.#socket.address();
    const host = isIP(address) === 6 ? `[${address}]` : address;
    const answer = method === 'CANCEL' || method === 'INVITE' ? undefined : this.#answer;
    const target = uriOf(answer && headerOf(answer, 'contact')) ?? `sip:${to}@${domain}`;
    const text = writeSip(
      `${method} ${target} SIP/2.0`,
      [
        ['Via', `SIP/2.0/UDP ${host}:${port};branch=${branch};rport`],
        ['Max-Forwards', '70'],
        ...(answer ? routeSetOf(answer).map((route): [string, string] => ['Route', route]) : []),
        ['From', `"${from.name}" <sip:${from.number}@${domain}>;tag=${this.#localTag}`],
        ['To', (answer && headerOf(answer, 'to')) ?? `<sip:${to}@${domain}>`],
        ['Call-ID', this.#callId],
        ['CSeq', `${cseq} ${method}`],
        ['Contact', `<sip:${from.number}@${host}:${port}>`],
        ['User-Agent', 'Siphera'],
        ['Allow', 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE'],
        ...headers,
      ],
      method === 'INVITE' ? this.#body : '',
    );
    return { branch, method, cseq, text };
  }

  /** Until an answer stops it. */
  #sendAgain(sent: Sent, waitMs = t1Ms): void {
    if (this.#state === 'over') return;
    this.#send(sent.text);
    sent.timer = setTimeout(() => this.#sendAgain(sent, Math.min(waitMs * 2, resendMsMax)), waitMs);
  }

  #take(bytes: Buffer): void {
    const message = readSip(bytes.toString('utf8'));
    if (!message || this.#state === 'over' || headerOf(message, 'call-id') !== this.#callId) return;
    if (message.method !== undefined) this.#takeRequest(message, message.method);
    else this.#takeAnswer(message, message.status ?? 0);
  }

  #takeAnswer(message: SipMessage, status: number): void {
    const branch = branchOf(headerOf(message, 'via'));
    const sent = [...this.#invites, this.#cancel, this.#bye].find((one) => one?.branch === branch);
    const { method } = cseqOf(message);
    if (!sent) return;
    if (method === 'INVITE') this.#takeInviteAnswer(message, status, sent);
    else if (method === 'CANCEL') clearTimeout(this.#cancel?.timer);
    else if (method === 'BYE' && status >= 200) this.#finish(this.#code, 'Hung up');
  }

  #takeInviteAnswer(message: SipMessage, status: number, of: Sent): void {
    clearTimeout(of.timer);
    if (status >= 200 && status < 300) {
      this.#answered(message, status, of);
      return;
    }
    if (status >= 300) this.#send(this.#ackOfRefusal(of, message));
    // A repeated answer to an INVITE before the last was acknowledged above, and says nothing new.
    if (of !== this.#invites.at(-1) || this.#state !== 'dialling') return;
    if (status < 200) this.#wordCame(message);
    else if ((status === 401 || status === 407) && !this.#proved) this.#prove(message, status);
    else this.#finish(status, message.reason);
  }

  #wordCame(message: SipMessage): void {
    if (!this.#heard) clearTimeout(this.#deadline);
    this.#heard = true;
    if (this.#wantsCancel) this.#sendCancel();
    else this.#hearSound(message);
    if (message.status !== 100) this.#events.onRinging();
  }

  #prove(message: SipMessage, status: number): void {
    this.#proved = true;
    const [asked, answer] =
      status === 401 ? ['www-authenticate', 'Authorization'] : ['proxy-authenticate', 'Proxy-Authorization'];
    const value = digestAnswer(headerOf(message, asked ?? '') ?? '', this.#options.login, {
      method: 'INVITE',
      uri: `sip:${this.#options.to}@${this.#options.domain}`,
      cnonce: this.#token(),
    });
    if (value === undefined) this.#finish(status, 'The SIP server asks for a proof that we cannot give');
    else if (this.#wantsCancel) this.#finish(status, 'Taken back');
    else this.#sendInvite([answer ?? '', value]);
  }

  #answered(message: SipMessage, status: number, of: Sent): void {
    const isFirst = this.#answer === undefined;
    // A second phone that answered too: it is acknowledged like the first, and Kamailio ends it.
    if (isFirst) this.#answer = message;
    this.#send(this.#request('ACK', of.cseq, []).text);
    if (!isFirst) return;
    clearTimeout(this.#deadline);
    this.#code = status;
    this.#state = 'talking';
    // It may have been taken up in the moment in which it was taken back.
    if (!this.#wantsCancel && this.#hearSound(message)) this.#events.onAnswer();
    else this.#sendBye();
  }

  #hearSound(message: SipMessage): boolean {
    const sound = readSound(message.body);
    if (sound) this.#events.onSound(sound);
    return sound !== undefined;
  }

  /** Hop by hop: with the branch of its INVITE (RFC 3261 §17.1.1.3). */
  #ackOfRefusal(of: Sent, answer: SipMessage): string {
    const ack = this.#request('ACK', of.cseq, [], of.branch).text;
    return ack.replace(/^To: .*$/m, `To: ${(headerOf(answer, 'to') ?? '').replaceAll('$', '$$$$')}`);
  }

  #takeRequest(request: SipMessage, method: string): void {
    if (method === 'ACK') return;
    const isOurs = tagOf(headerOf(request, 'to')) === this.#localTag && this.#answer !== undefined;
    if (!isOurs) {
      this.#reply(request, 481, 'No Such Call');
      return;
    }
    const withSound = request.body !== '' && readSound(request.body) !== undefined;
    switch (method) {
      case 'BYE':
        this.#reply(request, 200, 'OK');
        this.#finish(this.#code, 'They hung up');
        break;
      case 'INVITE':
      case 'UPDATE':
        if (withSound) this.#hearSound(request);
        this.#reply(request, 200, 'OK', method === 'INVITE' || withSound ? this.#body : '');
        break;
      case 'INFO': {
        this.#reply(request, 200, 'OK');
        const digit = digitOfInfo(request);
        if (digit !== undefined && this.#state === 'talking') this.#events.onKey(digit);
        break;
      }
      case 'OPTIONS':
        this.#reply(request, 200, 'OK');
        break;
      default:
        this.#reply(request, 405, 'Method Not Allowed');
    }
  }

  #reply(request: SipMessage, status: number, reason: string, body = ''): void {
    const { address, port } = this.#socket.address();
    const host = isIP(address) === 6 ? `[${address}]` : address;
    this.#send(
      writeSip(
        `SIP/2.0 ${status} ${reason}`,
        [
          ...answerHeaders(request),
          ['Contact', `<sip:${this.#options.from.number}@${host}:${port}>`],
          ...(body === '' ? [] : ([['Content-Type', 'application/sdp']] as [string, string][])),
        ],
        body,
      ),
    );
  }

  #finish(code: number | undefined, reason: string): void {
    if (this.#state === 'over') return;
    const answered = this.#state !== 'dialling';
    this.#state = 'over';
    clearTimeout(this.#deadline);
    for (const sent of [...this.#invites, this.#cancel, this.#bye]) clearTimeout(sent?.timer);
    // The last words may still be on their way out of the socket.
    setImmediate(() => this.#socket.close());
    this.#events.onEnd({ answered, code, reason });
  }

  #send(text: string): void {
    this.#socket.send(text, () => undefined);
  }

  #token(): string {
    return this.#options.random.bytes(8).toString('hex');
  }
}

/** application/dtmf-relay says `Signal=1`, application/dtmf `1`. */
const digitOfInfo = (request: SipMessage): string | undefined =>
  /^application\/dtmf/i.test(headerOf(request, 'content-type') ?? '')
    ? /^(?:signal\s*=\s*)?([0-9A-D*#])\s*$/im.exec(request.body)?.[1]
    : undefined;
