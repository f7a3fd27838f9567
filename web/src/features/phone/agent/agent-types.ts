/**
 * What the console asks of a SIP stack. `sip-agent.ts` is the only file that knows which one that is; softphone and emergency
 * line are written, and tested, against this.
 */

/** How a call came to its end. */
export type CallEnd = {
  by: 'us' | 'them' | 'line';
  /** Final SIP answer; null where there was none. */
  code: number | null;
  /** In the words of who refused it. */
  reason: string;
  /** `Reason: SIP;cause=200` of a CANCEL: somebody else has answered. */
  cause: number | null;
  /** `X-Siphera-Nearest-Phone`: no media relay is up, so go there. */
  nearestPhone: string | null;
  /** `Retry-After`: sooner is in vain. */
  retryAfterMs: number | null;
};
/** An end that came with no answer of anybody. */
export const endBy = (by: CallEnd['by'], code: number | null = null): CallEnd => ({
  by,
  code,
  reason: '',
  cause: null,
  nearestPhone: null,
  retryAfterMs: null,
});

export type CallEvents = {
  /** Anything at all came back, a 100 too: the call is under way, and in the hands of who has it. */
  taken(): void;
  /** It rings there; `early`: what is heard comes from the other side already. */
  progress(early: boolean): void;
  answered(): void;
  ended(end: CallEnd): void;
  remote(stream: MediaStream): void;
  heldByThem(held: boolean): void;
  /** They give us to somebody else; Kamailio has looked whether they may. */
  transferred(transfer: IncomingTransfer): void;
};

export type IncomingTransfer = {
  number: string;
  /** Calls whom we are given to. @throws when the call is over meanwhile. */
  take(stream: MediaStream | undefined, events: CallEvents): AgentCall;
  refuse(): void;
};

export type AgentCall = {
  /** SIP Call-ID, by which the box knows the call too. */
  readonly callId: string;
  answer(stream: MediaStream | undefined): void;
  hangUp(): void;
  /** Refuses one that rings: 486 when busy, 480 or 603 otherwise. */
  refuse(code: 480 | 486 | 603): void;
  /** False when the line is in the middle of another change. */
  hold(on: boolean): Promise<boolean>;
  mute(on: boolean): void;
  /** RFC 4733, or INFO where the other side takes no events. False when neither can be sent now. */
  digits(tones: string): boolean;
  /** Blind transfer. Settles when the other side has taken it, or with why it has not. */
  transfer(number: string): Promise<{ ok: boolean; reason: string }>;
  /** A microphone that came late, or another one. */
  replaceMicrophone(track: MediaStreamTrack): Promise<void>;
};

export type IncomingCall = {
  call: AgentCall;
  number: string;
  name: string;
  /** Calls back whoever called an emergency number. */
  listen(events: CallEvents): void;
};

export type AgentAccount = {
  /** `sip:201@box.example`. */
  uri: string;
  /** `wss://box.example/sip`. */
  url: string;
  displayName: string;
  /** Undefined: nobody, who may call emergency numbers alone. */
  login: { username: string; password: string } | undefined;
};

export type AgentEvents = {
  /** The websocket. Lost ones are opened again by the agent, with growing pauses. */
  connected(isConnected: boolean): void;
  /** Whether calls reach us. `why`: the server's words when it refused. */
  registered(isRegistered: boolean, refusal: { code: number; reason: string } | null): void;
  incoming(call: IncomingCall): void;
  message(contentType: string, body: string): void;
};

export type OutgoingCall = {
  number: string;
  stream: MediaStream | undefined;
  headers: readonly string[];
  events: CallEvents;
};

export type SipAgent = {
  start(): void;
  /** Ends its calls, takes its registration back. */
  stop(): void;
  /** Credentials that were made anew; registers with them. */
  renew(login: { username: string; password: string }): void;
  call(order: OutgoingCall): AgentCall;
};

export type MakeAgent = (account: AgentAccount, events: AgentEvents) => SipAgent;
