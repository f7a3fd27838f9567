/** Rings people for an alarm, speaks it, takes a key; and the caller that drills use too. */
import { join } from 'node:path';
import { AlarmCallOrder, Incident, type FeedEntry } from '@siphera/contract';
import { fromRfc3339 } from '@siphera/runtime';
import { AlarmCaller, type Caller } from './adapters/alarm-caller.ts';
import { AlarmRunner, type AlarmRunnerOptions } from './adapters/alarm-runner.ts';
import { EspeakSpeech } from './adapters/speech-espeak.ts';
import { alarmTables } from './domain/alarm-number.ts';
import type { Ground, Part } from './ground.ts';
import { alarmCallsHandlers } from './http/alarm-calls.routes.ts';
import type { PlanBook } from './plan.part.ts';
import { AlarmCallStore } from './store/alarm-call.store.ts';

export type { Caller, CallOrder } from './adapters/alarm-caller.ts';
export type { CallOutcome } from './domain/alarm-outcome.ts';

/** As long as one may want to know who was called a year ago. */
const keptMs = 366 * 24 * 3_600_000;
const tidyMs = 3_600_000;
/** Rows at once: a statement stays short. */
const tidyRows = 500;

export type AlarmCallsOptions = Pick<AlarmRunnerOptions, 'waits'>;

export function createAlarmCallsPart(
  ground: Ground,
  book: PlanBook,
  options: AlarmCallsOptions = {},
): { part: Part; caller: Caller } {
  const { config, clock, log, random } = ground;
  const store = new AlarmCallStore(ground.db);
  const caller = new AlarmCaller({ config, clock, log, random });
  const directory = join(config.DATA_DIR, 'speech');
  const speech = new EspeakSpeech({ program: config.ESPEAK, directory, random, log });
  const runner = new AlarmRunner({ ground, book, store, caller, speech, ...options });
  ground.publisher.add(() => alarmTables(config.ALARM_CALLS_ABROAD));
  let timer: NodeJS.Timeout | undefined;
  const part: Part = {
    name: 'alarm calls',
    handlers: alarmCallsHandlers({ ground, store, runner }),
    kinds: ['alarm_call', 'incident'],
    onEntries: (entries) => {
      for (const entry of entries) hear(entry, { runner, log });
    },
    checks: () => [
      {
        name: 'alarm calls',
        state: speech.problem() === undefined ? 'ok' : 'degraded',
        detail: speech.problem() ?? `${runner.going()} go on`,
      },
    ],
    start: () => {
      runner.start();
      timer = setInterval(() => tidy(ground, store), tidyMs);
    },
    stop: async () => {
      clearInterval(timer);
      // The caller first: its calls are what the runner waits for.
      await Promise.all([caller.stop(), runner.stop()]);
    },
  };
  return { part, caller };
}

/** What cannot be read is told and left: the feed goes on. */
function hear(entry: FeedEntry, { runner, log }: { runner: AlarmRunner } & Pick<Ground, 'log'>): void {
  if (entry.kind === 'alarm_call') {
    const order = AlarmCallOrder.safeParse(entry.data);
    if (order.success) runner.order(order.data, entry.scopes, fromRfc3339(entry.at) ?? 0);
    else log.error('alarm_call_not_read', { error: order.error, feed_seq: entry.seq });
    return;
  }
  const incident = Incident.pick({ state: true }).safeParse(entry.data);
  if (incident.success) runner.incident(entry.id, incident.data.state);
}

function tidy({ clock, log }: Pick<Ground, 'clock' | 'log'>, store: AlarmCallStore): void {
  try {
    store.removeEndedBefore(clock.now() - keptMs, tidyRows);
  } catch (error) {
    log.error('alarm_calls_not_tidied', { error });
  }
}
