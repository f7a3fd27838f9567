/** What Kamailio reports about calls: the board, the history, digits, door stations and visitors that were missed. */
import { CallsReconciler } from './adapters/calls-reconciler.ts';
import { CallsRecorder } from './adapters/calls-recorder.ts';
import { DigitListener } from './adapters/digit-listener.ts';
import { DoorDigits } from './adapters/door-digits.ts';
import { DoorOpener } from './adapters/door-opener.ts';
import { DoorVisits } from './adapters/door-visits.ts';
import type { Ground, Part } from './ground.ts';
import { boardHandlers } from './http/board.routes.ts';
import { callsHandlers } from './http/calls.routes.ts';
import type { PlanBook } from './plan.part.ts';
import { CallOpeningStore } from './store/call-opening.store.ts';
import { CallStore } from './store/call.store.ts';

/** For parts that know more of a call. */
export type Calls = {
  /** The call with that Call-ID belongs to an incident. */
  setIncident(callId: string, incidentId: string): void;
};

const keptMs = 90 * 24 * 3_600_000;
/** Some hundred MB at most. */
const rowsMax = 200_000;
/** A report that comes later than this after the end of its call changes nothing any more. */
const openMs = 3_600_000;
const tidyMs = 60_000;
/** Rows at once: a statement stays short. */
const tidyRows = 500;
const lookMs = 20_000;

export function createCallsPart(ground: Ground, book: PlanBook): { part: Part; calls: Calls } {
  const { clock, log, metrics } = ground;
  const store = new CallStore(ground.db);
  const openings = new CallOpeningStore(ground.db);
  const opener = new DoorOpener({ ground, book, openings });
  const digits = new DoorDigits({ ground, book, store, openings, opener });
  const visits = new DoorVisits({ ground, book, openings });
  const onEnd = (id: string): void => {
    opener.forget(id);
    digits.forget(id);
  };
  const recorder = new CallsRecorder({ ground, book, store, visits, onEnd });
  const reconciler = new CallsReconciler({ ground, store, recorder });
  const listener = new DigitListener({
    address: ground.config.DTMF_LISTEN,
    clock,
    log,
    metrics,
    hear: (digit) => digits.press({ ...digit, via: 'rtp' }),
  });
  ground.kamailio.on((event, isLate) => {
    recorder.hear(event);
    // A key of a while ago opens nothing now.
    if (event.kind !== 'digit' || isLate) return;
    const { call: callId, digit, from_tag: tag, source: address } = event;
    digits.press({ via: 'info', callId, digit, tag, address });
  });
  const timers: NodeJS.Timeout[] = [];
  const part: Part = {
    name: 'calls',
    handlers: {
      ...callsHandlers({ store, openings }),
      ...boardHandlers({ ground, store, openings, opener }),
    },
    checks: () => [listener.check()],
    start: async () => {
      await listener.start();
      timers.push(setInterval(() => tidy(ground, store), tidyMs));
      timers.push(
        setInterval(() => {
          reconciler.look().catch((error: unknown) => log.error('calls_not_compared', { error }));
        }, lookMs),
      );
    },
    stop: async () => {
      for (const timer of timers) clearInterval(timer);
      await listener.stop();
      await reconciler.stopped();
    },
  };
  return { part, calls: { setIncident: (callId, incidentId) => store.setIncident(callId, incidentId) } };
}

function tidy({ clock, log }: Pick<Ground, 'clock' | 'log'>, store: CallStore): void {
  try {
    store.closeEnded(clock.now() - openMs, tidyRows);
    store.removeOld(clock.now() - keptMs, rowsMax, tidyRows);
  } catch (error) {
    log.error('calls_not_tidied', { error });
  }
}
