/**
 * The SIP stack of the console: JsSIP, and the only file that knows it. What must stay true: a call is never kept waiting for ICE
 * (on a LAN what was found at once is enough), and what the stack throws becomes a value.
 */
import { UA, WebSocketInterface, type URI } from 'jssip';
import type { EndEvent, IncomingEvent, OutgoingEvent, ReferEvent, RTCSession } from 'jssip/lib/RTCSession';
import type { CallOptions, IncomingMessageEvent, OutgoingMessageEvent, RTCSessionEvent } from 'jssip/lib/UA';
import type {
  AgentAccount,
  AgentCall,
  AgentEvents,
  CallEnd,
  CallEvents,
  IncomingCall,
  IncomingTransfer,
  OutgoingCall,
  SipAgent,
} from './agent-types.ts';

/** Candidates found this soon go with the offer; there is no trickle in SIP, and on a LAN all are there. */
const gatherMsMax = 400;
/** A box that restarts is back in seconds; a guard's console asks it at least this often. */
const reconnectSeconds = { min: 1, max: 10 } as const;
/** Kamailio keeps a websocket's registration this long at most. */
const registerSeconds = 600;
/** The bridge stops an unanswered call by its own rules long before. */
const noAnswerSeconds = 180;
const digitMs = 160;
const digitGapMs = 80;
/** A transfer that nobody takes is over by then. */
const transferMsMax = 35_000;
/** The stack declares an enum and ships none. */
const isRemote = (originator: string): boolean => originator === 'remote';

export function makeSipAgent(account: AgentAccount, events: AgentEvents): SipAgent {
  const ua = new UA({
    sockets: [new WebSocketInterface(account.url)],
    uri: account.uri,
    display_name: account.displayName,
    register: account.login !== undefined,
    register_expires: registerSeconds,
    no_answer_timeout: noAnswerSeconds,
    // Their refresh ends a call that a trunk or phone does not refresh; the box has its own watch over dead calls.
    session_timers: false,
    connection_recovery_min_interval: reconnectSeconds.min,
    connection_recovery_max_interval: reconnectSeconds.max,
    user_agent: 'Siphera console',
    ...(account.login
      ? { authorization_user: account.login.username, password: account.login.password }
      : {}),
  });
  ua.on('connected', () => events.connected(true));
  ua.on('disconnected', () => events.connected(false));
  ua.on('registered', () => events.registered(true, null));
  ua.on('unregistered', () => events.registered(false, null));
  ua.on('registrationFailed', ({ response, cause }) => {
    // No answer at all: the stack does not try again by itself.
    const answer = response as typeof response | null;
    const none = { code: 408, reason: cause ?? '' };
    events.registered(false, answer ? { code: answer.status_code, reason: answer.reason_phrase } : none);
  });
  ua.on('newRTCSession', ({ originator, session, request }: RTCSessionEvent) => {
    if (!isRemote(originator)) return;
    events.incoming(incoming(session, callIdOf(request)));
  });
  ua.on('newMessage', ({ originator, request }: IncomingMessageEvent | OutgoingMessageEvent) => {
    if (!isRemote(originator) || !('getHeader' in request)) return;
    const [type = ''] = request.getHeader('Content-Type').split(';');
    events.message(type.trim().toLowerCase(), request.body);
  });

  return {
    start: () => ua.start(),
    stop: () => ua.stop(),
    renew: ({ username, password }) => {
      ua.set('authorization_user', username);
      ua.set('password', password);
      if (ua.isConnected()) ua.register();
    },
    call: (order) => outgoing((options) => ua.call(order.number, options), order),
  };
}

type Ordered = Omit<OutgoingCall, 'number'>;

function outgoing(
  start: (options: CallOptions) => RTCSession,
  { stream, headers, events }: Ordered,
): AgentCall {
  let callId = '';
  const session = start({
    ...(stream ? { mediaStream: stream } : {}),
    mediaConstraints: { audio: false, video: false },
    rtcOfferConstraints: { offerToReceiveAudio: true },
    pcConfig: { iceServers: [] },
    extraHeaders: [...headers],
    eventHandlers: {
      // Made while the call is begun, so it must be listened to from here.
      peerconnection: ({ peerconnection }) => followMedia(peerconnection, events),
      sending: ({ request }) => {
        callId = request.call_id;
        // Its transaction is made as soon as this returns.
        queueMicrotask(() => followTransaction(request, events));
      },
    },
  });
  follow(session, events);
  return {
    ...controls(session),
    get callId() {
      return callId;
    },
  };
}

/** States of a transaction that something came back to; of a 100 the session itself says nothing. */
const heardFrom: readonly number[] = [2, 4, 5];
type Transaction = { state: number; on(event: 'stateChanged', run: () => void): void };

function followTransaction(request: object, events: CallEvents): void {
  const transaction = (request as { transaction?: Transaction | null }).transaction;
  transaction?.on('stateChanged', () => heardFrom.includes(transaction.state) && events.taken());
}

function incoming(session: RTCSession, callId: string): IncomingCall {
  const from = session.remote_identity;
  let heard: CallEvents | undefined;
  session.on('peerconnection', ({ peerconnection }) => heard && followMedia(peerconnection, heard));
  return {
    call: { ...controls(session), callId },
    number: from.uri.user,
    name: from.display_name,
    listen: (events) => {
      heard = events;
      follow(session, events);
    },
  };
}

const callIdOf = (request: object): string => ('call_id' in request ? String(request.call_id) : '');

/** What is heard from the other side: early media too, which comes before the answer. */
function followMedia(connection: RTCPeerConnection, events: CallEvents): void {
  const heard = new MediaStream();
  connection.addEventListener('track', ({ track }) => {
    if (track.kind !== 'audio') return;
    heard.addTrack(track);
    events.remote(heard);
  });
}

function follow(session: RTCSession, events: CallEvents): void {
  let gathering: ReturnType<typeof setTimeout> | undefined;
  session.on('icecandidate', ({ ready }) => {
    clearTimeout(gathering);
    gathering = setTimeout(ready, gatherMsMax);
  });
  session.on('refer', (event) => events.transferred(transferOf(event)));
  session.on('progress', (event: IncomingEvent | OutgoingEvent) => {
    const response = 'response' in event ? (event.response as { body?: string | null } | null) : null;
    events.progress(typeof response?.body === 'string' && response.body !== '');
  });
  session.on('accepted', () => events.answered());
  session.on('hold', ({ originator }) => isRemote(originator) && events.heldByThem(true));
  session.on('unhold', ({ originator }) => isRemote(originator) && events.heldByThem(false));
  const ended = (event: EndEvent): void => {
    clearTimeout(gathering);
    events.ended(endOf(event, endedByUs.has(session)));
  };
  session.on('ended', ended);
  session.on('failed', ended);
}

/** The word that Kamailio has put into the address goes along: it stands for the rights of who transfers. */
function transferOf({ request, accept, reject }: ReferEvent): IncomingTransfer {
  const { refer_to: to } = request as { refer_to?: { uri: URI } };
  const begin = accept as (made: (session: RTCSession) => void, options: CallOptions) => void;
  return {
    number: to?.uri.user ?? '',
    take: (stream, events) =>
      outgoing(
        (options) => {
          let made: RTCSession | undefined;
          begin((session) => {
            made = session;
          }, options);
          if (!made) throw new Error('The call that was transferred is over');
          return made;
        },
        { stream, headers: [], events },
      ),
    refuse: () => reject(),
  };
}

type Answer = { status_code?: number; reason_phrase?: string; getHeader?(name: string): string | undefined };

/** To the stack a connection that broke is an end by us as well. */
const endedByUs = new WeakSet<RTCSession>();

function terminate(session: RTCSession, options?: { status_code: number }): void {
  if (session.isEnded()) return;
  endedByUs.add(session);
  session.terminate(options);
}

function endOf(event: EndEvent, isOurs: boolean): CallEnd {
  const { originator, cause, message } = event as {
    originator: string;
    cause: string;
    message: Answer | null;
  };
  const header = (name: string): string | undefined => message?.getHeader?.(name) ?? undefined;
  // `Reason: SIP;cause=603;text="…"` and `Warning: 399 box "…"` say more than the phrase of the status line.
  const words =
    /text="([^"]*)"/.exec(header('Reason') ?? '')?.[1] ?? /"([^"]*)"/.exec(header('Warning') ?? '')?.[1];
  return {
    by: originator === 'remote' ? 'them' : isOurs ? 'us' : 'line',
    code: message?.status_code ?? null,
    reason: words ?? message?.reason_phrase ?? cause,
    cause: causeOf(header('Reason')),
    nearestPhone: header('X-Siphera-Nearest-Phone') ?? null,
    retryAfterMs: retryAfterOf(header('Retry-After')),
  };
}

/** `Retry-After: 10 (too many);duration=…`: its first number, in seconds. */
function retryAfterOf(value: string | undefined): number | null {
  const seconds = /^\s*(\d{1,6})/.exec(value ?? '')?.[1];
  return seconds === undefined ? null : Number(seconds) * 1_000;
}

function causeOf(reason: string | undefined): number | null {
  const digits = /cause\s*=\s*(\d{3})/i.exec(reason ?? '')?.[1];
  return digits === undefined ? null : Number(digits);
}

function controls(session: RTCSession): Omit<AgentCall, 'callId'> {
  return {
    answer: (stream) =>
      session.answer({
        ...(stream ? { mediaStream: stream } : {}),
        mediaConstraints: { audio: stream !== undefined, video: false },
        pcConfig: { iceServers: [] },
      }),
    hangUp: () => terminate(session),
    refuse: (code) => terminate(session, { status_code: code }),
    hold: (on) =>
      new Promise((resolve) => {
        const begun = on ? session.hold({}, () => resolve(true)) : session.unhold({}, () => resolve(true));
        if (!begun) resolve(session.isOnHold().local === on);
        session.once('ended', () => resolve(false));
      }),
    mute: (on) => (on ? session.mute({ audio: true }) : session.unmute({ audio: true })),
    digits: (tones) => sendDigits(session, tones),
    transfer: (number) => transfer(session, number),
    replaceMicrophone: async (track) => {
      const sender = audioSender(session);
      if (sender) await sender.replaceTrack(track);
      track.enabled = session.isMuted().audio !== true;
    },
  };
}

/** Undefined while a call only rings here: it has no connection yet. */
const audioSender = (session: RTCSession): RTCRtpSender | undefined =>
  (session.connection as RTCPeerConnection | null)?.getSenders().find(({ track }) => track?.kind === 'audio');

function sendDigits(session: RTCSession, tones: string): boolean {
  const canInsert = audioSender(session)?.dtmf?.canInsertDTMF === true;
  try {
    session.sendDTMF(tones, {
      duration: digitMs,
      interToneGap: digitGapMs,
      transportType: (canInsert ? 'RFC2833' : 'INFO') as never,
    });
    return true;
  } catch {
    return false;
  }
}

function transfer(session: RTCSession, number: string): Promise<{ ok: boolean; reason: string }> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve({ ok: false, reason: 'Request Timeout' }), transferMsMax);
    const done = (ok: boolean, reason: string): void => {
      clearTimeout(timer);
      resolve({ ok, reason });
    };
    type Said = { status_line?: { reason_phrase: string }; cause?: string };
    try {
      session.refer(number, {
        eventHandlers: {
          accepted: () => done(true, ''),
          failed: (said: Said) => done(false, said.status_line?.reason_phrase ?? ''),
          requestFailed: (said: Said) => done(false, said.cause ?? ''),
        },
      });
      // Who took the transfer may hang up on us before it says how it went.
      session.once('ended', () => done(true, ''));
    } catch (thrown) {
      done(false, thrown instanceof Error ? thrown.message : '');
    }
  });
}
