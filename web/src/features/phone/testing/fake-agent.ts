/** A SIP stack that is made up: tests see what it was asked, and say what the other side does. */
import type {
  AgentAccount,
  AgentCall,
  AgentEvents,
  CallEnd,
  CallEvents,
  IncomingCall,
  MakeAgent,
  OutgoingCall,
} from '#features/phone/agent/agent-types.ts';

export const anEnd = (over: Partial<CallEnd> = {}): CallEnd => ({
  by: 'them',
  code: null,
  reason: '',
  cause: null,
  nearestPhone: null,
  retryAfterMs: null,
  ...over,
});

export class FakeCall implements AgentCall {
  readonly asked: string[] = [];
  readonly callId: string;
  events: CallEvents | undefined;
  transferOutcome = { ok: true, reason: '' };
  canHold = true;

  constructor(callId: string, events?: CallEvents) {
    this.callId = callId;
    this.events = events;
  }

  answer(stream: MediaStream | undefined): void {
    this.asked.push(stream ? 'answer' : 'answer without a stream');
    this.events?.answered();
  }
  hangUp(): void {
    this.asked.push('hang up');
    this.events?.ended(anEnd({ by: 'us' }));
  }
  refuse(code: number): void {
    this.asked.push(`refuse ${String(code)}`);
    this.events?.ended(anEnd({ by: 'us', code }));
  }
  hold(on: boolean): Promise<boolean> {
    this.asked.push(on ? 'hold' : 'resume');
    return Promise.resolve(this.canHold);
  }
  mute(on: boolean): void {
    this.asked.push(on ? 'mute' : 'unmute');
  }
  digits(tones: string): boolean {
    this.asked.push(`digits ${tones}`);
    return true;
  }
  transfer(number: string): Promise<{ ok: boolean; reason: string }> {
    this.asked.push(`transfer ${number}`);
    return Promise.resolve(this.transferOutcome);
  }
  replaceMicrophone(): Promise<void> {
    this.asked.push('another microphone');
    return Promise.resolve();
  }
}

export class FakeAgent {
  readonly account: AgentAccount;
  readonly events: AgentEvents;
  readonly orders: OutgoingCall[] = [];
  readonly calls: FakeCall[] = [];
  readonly renewed: string[] = [];
  started = false;
  stopped = false;

  constructor(account: AgentAccount, events: AgentEvents) {
    this.account = account;
    this.events = events;
  }

  start(): void {
    this.started = true;
  }
  stop(): void {
    this.stopped = true;
  }
  renew({ username }: { username: string }): void {
    this.renewed.push(username);
  }
  call(order: OutgoingCall): AgentCall {
    this.orders.push(order);
    const call = new FakeCall(`call-${String(this.orders.length)}`, order.events);
    this.calls.push(call);
    return call;
  }

  /** Somebody rings here. */
  ring(number: string, name = ''): FakeCall {
    const call = new FakeCall(`in-${number}`);
    const incoming: IncomingCall = {
      call,
      number,
      name,
      listen: (events) => {
        call.events = events;
      },
    };
    this.events.incoming(incoming);
    return call;
  }
}

/** Makes agents, and keeps them for the test. */
export function fakeAgents(): { made: FakeAgent[]; make: MakeAgent; load: () => Promise<MakeAgent> } {
  const made: FakeAgent[] = [];
  const make: MakeAgent = (account, events) => {
    const agent = new FakeAgent(account, events);
    made.push(agent);
    return agent;
  };
  return { made, make, load: () => Promise.resolve(make) };
}
