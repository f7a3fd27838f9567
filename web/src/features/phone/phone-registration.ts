/**
 * Keeps the softphone registered: credentials of the bridge, renewed before they end, and the agent that registers with them. What must
 * stay true: with the bridge gone, what is registered stays so until its credential ends; each retry has a pause that grows.
 */
import type { Result } from '#api/client.ts';
import type { ApiError } from '#api/problem.ts';
import type { AgentEvents, MakeAgent, SipAgent } from './agent/agent-types.ts';
import type { PhoneState } from './line-types.ts';

export type Softphone = Result<'getSoftphone'>;

const retryMs = { min: 2_000, max: 60_000 } as const;
/** Somebody was given no number yet, or lost it: seldom. */
const noNumberMs = 60_000;
/** Renewed this long before its end, or at three quarters of a short life. */
const renewBeforeMs = 120_000;
const renewShare = 0.75;
/** A box with a wrong clock must not be asked without a pause. */
const renewMsMin = 15_000;

export type RegistrationWorld = {
  now(): number;
  after(ms: number, run: () => void): () => void;
  /** @throws ApiError */
  credentials(): Promise<Softphone>;
  makeAgent(): Promise<MakeAgent>;
  asError(thrown: unknown): ApiError;
};
export type RegistrationEvents = Pick<AgentEvents, 'incoming' | 'message'> & {
  state(state: PhoneState, reason: string): void;
  /** Another agent, or none: calls of the one before have ended. */
  agent(agent: SipAgent | undefined, phone: Softphone | undefined): void;
};

export class PhoneRegistration {
  readonly #world: RegistrationWorld;
  readonly #events: RegistrationEvents;
  #agent: SipAgent | undefined;
  #phone: Softphone | undefined;
  #tries = 0;
  #stopped = false;
  #callOff: (() => void) | undefined;
  #callOffRegister: (() => void) | undefined;

  constructor(world: RegistrationWorld, events: RegistrationEvents) {
    this.#world = world;
    this.#events = events;
  }

  start(): void {
    this.#events.state('connecting', '');
    void this.#renew();
  }

  stop(): void {
    this.#stopped = true;
    this.#callOff?.();
    this.#callOffRegister?.();
    this.#agent?.stop();
    this.#agent = undefined;
    this.#events.agent(undefined, undefined);
    this.#events.state('off', '');
  }

  async #renew(): Promise<void> {
    try {
      const phone = await this.#world.credentials();
      const makeAgent = await this.#world.makeAgent();
      if (this.#stopped) return;
      this.#tries = 0;
      this.#take(phone, makeAgent);
      this.#again(this.#renewInMs(phone));
    } catch (thrown) {
      if (!this.#stopped) this.#missed(this.#world.asError(thrown));
    }
  }

  #take(phone: Softphone, makeAgent: MakeAgent): void {
    const before = this.#phone;
    const login = { username: phone.username, password: phone.password };
    this.#phone = phone;
    if (this.#agent && before?.uri === phone.uri && before.websocket_url === phone.websocket_url) {
      this.#agent.renew(login);
      return;
    }
    this.#agent?.stop();
    const agent = makeAgent(
      { uri: phone.uri, url: phone.websocket_url, displayName: phone.name, login },
      {
        connected: (isConnected) => this.#of(agent, () => this.#connected(isConnected)),
        registered: (is, refusal) => this.#of(agent, () => this.#registered(is, refusal)),
        incoming: (call) => this.#events.incoming(call),
        message: (type, body) => this.#events.message(type, body),
      },
    );
    this.#agent = agent;
    this.#events.agent(agent, phone);
    agent.start();
  }

  /** What an agent says that was replaced counts no more. */
  #of(agent: SipAgent, run: () => void): void {
    if (this.#agent === agent) run();
  }

  #connected(isConnected: boolean): void {
    this.#events.state(isConnected ? 'connecting' : 'no_server', '');
  }

  #registered(isRegistered: boolean, refusal: { code: number; reason: string } | null): void {
    this.#callOffRegister?.();
    if (isRegistered) {
      this.#tries = 0;
      this.#events.state('ready', '');
      return;
    }
    if (refusal === null) return;
    const isAway = refusal.code === 408 || refusal.code >= 500;
    this.#events.state(isAway ? 'no_server' : 'refused', refusal.reason);
    // 401, 403, 407: a credential that ended while this computer slept; new ones are asked for at once, then with pauses.
    this.#callOffRegister = this.#world.after(this.#pauseMs(), () => void this.#renew());
  }

  #missed(error: ApiError): void {
    if (error.code === 'forbidden') {
      this.#lose('off');
      this.#again(noNumberMs);
    } else if (error.code === 'not_found') {
      this.#lose('no_number');
      this.#again(noNumberMs);
    } else {
      if (!this.#agent) this.#events.state('waiting', error.problem.detail ?? error.problem.title);
      this.#again(this.#pauseMs());
    }
  }

  #lose(state: PhoneState): void {
    this.#agent?.stop();
    this.#agent = undefined;
    this.#phone = undefined;
    this.#events.agent(undefined, undefined);
    this.#events.state(state, '');
  }

  #again(ms: number): void {
    this.#callOff?.();
    this.#callOff = this.#world.after(ms, () => void this.#renew());
  }

  #pauseMs(): number {
    const ms = Math.min(retryMs.max, retryMs.min * 2 ** this.#tries);
    this.#tries += 1;
    return ms;
  }

  #renewInMs(phone: Softphone): number {
    const leftMs = Date.parse(phone.expires_at) - this.#world.now();
    return Math.max(renewMsMin, Math.max(leftMs - renewBeforeMs, leftMs * renewShare));
  }
}
