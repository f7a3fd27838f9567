/**
 * Ends calls whose end was not heard: Kamailio was killed, or its reports were lost. What must stay true: a call that goes on is
 * not ended because Kamailio was restarted (it has forgotten the call, the relay has not), nor because somebody did not answer.
 */
import { AppError } from '@siphera/runtime';
import { z } from 'zod';
import type { CallStep } from '../domain/call-fold.ts';
import type { Ground } from '../ground.ts';
import type { CallRow, CallStore } from '../store/call.store.ts';
import type { CallsRecorder } from './calls-recorder.ts';
import { relayCalls } from './relay-calls.ts';
import { liveDialogs } from './switch-dialogs.ts';

type Deps = {
  ground: Pick<Ground, 'config' | 'clock' | 'log' | 'random' | 'kamailio'>;
  store: CallStore;
  recorder: Pick<CallsRecorder, 'take'>;
};

/** Of a call's last report: younger ones are not looked for, their next report may be on its way. */
const quietMsMin = 20_000;
/** Kamailio ends a dialog after 12 hours, and rings for two minutes at most, three times by fallback. */
const talkMsMax = 12.5 * 3_600_000;
const ringMsMax = 10 * 60_000;
const liveMax = 500;

const Uptime = z.looseObject({ uptime: z.number() });
type Seen = {
  /** Kamailio's, since it was started; emergency calls are not among them. */
  dialogs: ReadonlySet<string>;
  upSinceMs: number;
  /** Undefined when a relay is silent: it may carry calls. */
  relays: ReadonlySet<string> | undefined;
};

export class CallsReconciler {
  readonly #deps: Deps;
  /** Call-IDs that the last look did not find: what two looks in a row do not find is over. */
  #missing: ReadonlySet<string> = new Set();
  #running: Promise<void> | undefined;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** One look; while one is under way, that one. */
  look(): Promise<void> {
    this.#running ??= this.#look().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Resolves when no look is under way. */
  async stopped(): Promise<void> {
    await this.#running?.catch(() => undefined);
  }

  async #look(): Promise<void> {
    const { ground, store } = this.#deps;
    const nowMs = ground.clock.now();
    const live = store.live(liveMax);
    for (const call of live.filter((one) => isTooOld(one, nowMs))) this.#end(call);
    const quiet = live.filter((call) => !isTooOld(call, nowMs) && nowMs - call.heardMs >= quietMsMin);
    if (quiet.length === 0 || !ground.kamailio.isUp()) {
      this.#missing = new Set();
      return;
    }
    const seen = await this.#see(nowMs);
    const missing = quiet.filter((call) => seen !== undefined && isGone(call, seen));
    for (const call of missing) if (this.#missing.has(call.callId)) this.#end(call);
    this.#missing = new Set(missing.map(({ callId }) => callId));
  }

  /** Undefined when Kamailio cannot say. */
  async #see(nowMs: number): Promise<Seen | undefined> {
    const { config, kamailio, random, log } = this.#deps.ground;
    try {
      const { uptime } = Uptime.parse(await kamailio.rpc('core.uptime'));
      const dialogs = await liveDialogs(kamailio);
      const relays = await Promise.all(
        config.RTPENGINE_CONTROL.map(([, address]) => relayCalls(address, random.uuid())),
      );
      return {
        dialogs: new Set(dialogs.map(({ callId }) => callId)),
        upSinceMs: nowMs - (uptime + 1) * 1_000,
        relays: relays.some((calls) => calls === undefined)
          ? undefined
          : new Set(relays.flatMap((calls) => [...(calls ?? [])])),
      };
    } catch (error) {
      if (!(error instanceof AppError) && !(error instanceof z.ZodError)) throw error;
      log.debug('dialogs_not_known', { error });
      return undefined;
    }
  }

  #end({ id, callId }: CallRow): void {
    const { ground, recorder } = this.#deps;
    const step: CallStep = { uid: `lost-${ground.random.uuid()}`, atMs: ground.clock.now(), state: 'lost' };
    ground.log.info('call_lost', { call: id });
    recorder.take(callId, step);
  }
}

const isTooOld = ({ answeredMs, startedMs }: CallRow, nowMs: number): boolean =>
  nowMs - (answeredMs ?? startedMs) > (answeredMs === null ? ringMsMax : talkMsMax);

function isGone(call: CallRow, { dialogs, upSinceMs, relays }: Seen): boolean {
  if (dialogs.has(call.callId)) return false;
  const isEmergency = call.direction === 'emergency' || call.direction === 'drill';
  if (!isEmergency && upSinceMs < call.startedMs) return true;
  return call.relayed && relays !== undefined && !relays.has(call.callId);
}
