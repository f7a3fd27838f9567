/** Turns of alarm calls with a caller that a test plays. */
import { join } from 'node:path';
import {
  internalPaths,
  type AlarmCallOrder,
  type IncomingEvent,
  type InternalPerson,
} from '@siphera/contract';
import {
  AppError,
  createLogger,
  createMetrics,
  migrate,
  openDatabase,
  systemClock,
  systemRandom,
} from '@siphera/runtime';
import { waitFor } from '@siphera/testkit';
import { afterEach, expect, it } from 'vitest';
import { defaultPlan } from '../domain/number-plan.ts';
import { AlarmCallStore } from '../store/alarm-call.store.ts';
import type { PlannedExtension } from '../plan.part.ts';
import type { CallOutcome } from '../domain/alarm-outcome.ts';
import type { CallOrder } from './alarm-caller.ts';
import { AlarmRunner } from './alarm-runner.ts';

const migrations = join(import.meta.dirname, '../../migrations');
const incidentId = systemRandom.uuid();
const away: CallOutcome = {
  outcome: 'failed',
  code: undefined,
  reason: 'The SIP server does not answer',
  answeredMs: undefined,
  digits: '',
};
const notThere: CallOutcome = { ...away, outcome: 'no_answer', code: 480, reason: 'Not Signed In' };

let runner: AlarmRunner | undefined;
afterEach(() => runner?.stop());

/**
 * @param answers what becomes of the calls, in turn; the last one again and again.
 * @param house numbers that are of the house
 */
function play(
  answers: ((order: CallOrder) => CallOutcome | Promise<CallOutcome>)[],
  core: (path: string) => Promise<unknown> = () => Promise.resolve({ state: 'acknowledged', changed: true }),
  house: readonly string[] = [],
) {
  const db = openDatabase(':memory:');
  migrate(db, migrations, systemClock.now());
  const store = new AlarmCallStore(db);
  const dialled: string[] = [];
  const posts: { path: string; body: unknown }[] = [];
  const events: IncomingEvent[] = [];
  const people = new Map<string, InternalPerson>();
  runner = new AlarmRunner({
    ground: {
      clock: systemClock,
      log: createLogger({ service: 'sip-bridge', level: 'error', destination: { write: () => true } }),
      metrics: createMetrics('sip_bridge'),
      client: { call: (_method: string, path: string) => core(path) } as never,
      outbox: {
        post: (path: string, body: unknown) => void posts.push({ path, body }),
        event: (event: IncomingEvent) => void events.push(event),
      } as never,
      people: {
        get: (id) => people.get(id),
        all: () => [],
        arrival: (id) => Promise.resolve(people.get(id)),
        onChange: () => undefined,
      },
    },
    book: {
      extension: (number) => (house.includes(number) ? ({ number } as PlannedExtension) : undefined),
      extensionOfUser: () => undefined,
      plan: () => defaultPlan('US'),
    },
    store,
    speech: { say: (text) => Promise.resolve(text), problem: () => undefined },
    caller: {
      call: async (order) => {
        dialled.push(order.to);
        return (answers.length > 1 ? answers.shift() : answers[0])?.(order) ?? away;
      },
    },
    waits: { serverRetryMs: 1, serverTriesMax: 5, roundPauseMs: 1, settleMs: 1, talkMsMax: 1 },
  });
  const order: AlarmCallOrder = {
    id: systemRandom.uuid(),
    org_id: systemRandom.uuid(),
    incident_id: incidentId,
    say: 'Door forced',
    targets: ['201', '202'].map((number) => ({ user_id: null, number })),
    rounds: 2,
    ring_s: 10,
  };
  const ended = () =>
    waitFor('the end', () => {
      const row = store.get(order.id);
      return row?.state === 'calling' ? undefined : row;
    });
  const begin = (): void => runner?.order(order, [`org:${order.org_id}`], systemClock.now());
  return { runner, store, order, dialled, posts, events, ended, begin };
}

/** Presses a key, and waits for what is said to it. */
const pressing =
  (digit: string, before = (): void => undefined) =>
  async (order: CallOrder): Promise<CallOutcome> => {
    const answer = order.onDigit?.(digit);
    before();
    await answer;
    return { outcome: 'answered', code: 200, reason: '', answeredMs: 5, digits: digit };
  };

it('a SIP server that is away takes nobody’s turn, until it is away for too long', async () => {
  const short = play([() => away, () => away, () => notThere, () => notThere, pressing('1')]);
  short.begin();
  expect((await short.ended()).attempts.map(({ number, outcome }) => [number, outcome])).toEqual([
    ['201', 'no_answer'],
    ['202', 'no_answer'],
    ['201', 'acknowledged'],
  ]);
  expect(short.dialled).toEqual(['201', '201', '201', '202', '201']);
  const long = play([() => away]);
  long.begin();
  const row = await long.ended();
  expect(row.state).toBe('exhausted');
  expect(row.attempts).toHaveLength(4);
  expect(long.dialled).toHaveLength(20);
});

it('the word that the incident was taken overtakes the answer to the key, and changes nothing', async () => {
  const taken = (): void => runner?.incident(incidentId, 'acknowledged');
  const own = play([pressing('1', taken)]);
  own.begin();
  expect(await own.ended()).toMatchObject({ state: 'acknowledged', attempts: [{ outcome: 'acknowledged' }] });
  // Refused, and taken by somebody else meanwhile: nobody else is called.
  const refused = play([pressing('1', taken)], () => Promise.reject(new AppError('forbidden', 'No.')));
  refused.begin();
  expect(await refused.ended()).toMatchObject({ state: 'stopped', attempts: [{ outcome: 'failed' }] });
});

it('a call that a crash cut off counts as made, and the next is called after the start', async () => {
  const { store, order, dialled, ended, runner: played } = play([pressing('1')]);
  store.add(order, [], 1);
  store.saveAttempt(order.id, { n: 0, number: '201', name: '201', atMs: 1, outcome: 'ringing', detail: '' });
  played.start();
  expect((await ended()).attempts).toMatchObject([{ outcome: 'failed' }, { outcome: 'acknowledged' }]);
  expect(dialled).toEqual(['202']);
});

it('what breaks one call is told, and the next is called', async () => {
  const broken = (): never => {
    throw new AppError('unprocessable', 'That is no number to dial.');
  };
  const { ended, begin, posts } = play([broken, pressing('9'), pressing('1')]);
  begin();
  const { attempts } = await ended();
  expect(attempts.map(({ outcome }) => outcome)).toEqual(['failed', 'declined', 'acknowledged']);
  expect(attempts[0]?.detail).toBe('That is no number to dial.');
  expect(posts.filter(({ path }) => path === internalPaths.incidentLine)).toHaveLength(3);
});

it('a number outside is called a hundred times a day at most, core hears of it before, and the next is called', async () => {
  const played = play([pressing('9'), pressing('1')]);
  const { store, order, dialled, events } = played;
  const past = { ...order, id: systemRandom.uuid() };
  store.add(past, [], 1);
  store.end(past.id, 'exhausted', 2);
  const calls = (first: number, count: number, more: { atMs?: number; outcome?: 'failed' } = {}): void => {
    for (let n = first; n < first + count; n += 1)
      store.saveAttempt(past.id, {
        ...{ n, number: '201', name: '201', atMs: systemClock.now() - 60_000, outcome: 'no_key', detail: '' },
        ...more,
      });
  };
  calls(0, 79);
  calls(100, 100, { atMs: systemClock.now() - 25 * 3_600_000 });
  calls(200, 100, { outcome: 'failed' });
  played.begin();
  await played.ended();
  expect({ dialled, events }).toEqual({ dialled: ['201', '202'], events: [] });
  const again = async (): Promise<Awaited<ReturnType<typeof played.ended>>> => {
    const next = { ...order, id: systemRandom.uuid() };
    played.runner.order(next, [], systemClock.now());
    return waitFor('the end', () => {
      const row = store.get(next.id);
      return row?.state === 'calling' ? undefined : row;
    });
  };
  await again();
  expect(events).toMatchObject([
    {
      type: 'phone.alarm_calls_many',
      orgid: order.org_id,
      data: { note: '80 of 100 alarm calls to 201 within a day' },
    },
  ]);
  calls(79, 20);
  dialled.length = 0;
  expect(await again()).toMatchObject({
    state: 'acknowledged',
    attempts: [
      {
        number: '201',
        outcome: 'failed',
        detail: expect.stringContaining('100 times within a day') as string,
      },
      { number: '202', outcome: 'acknowledged' },
    ],
  });
  expect(dialled).toEqual(['202']);
});

it('no number outside is called after five hundred such calls within a day, over a restart too; the house is', async () => {
  const { store, order, dialled, ended, begin, events } = play([pressing('1')], undefined, ['202']);
  const past = { ...order, id: systemRandom.uuid() };
  store.add(past, [], 1);
  store.end(past.id, 'exhausted', 2);
  const atMs = systemClock.now();
  for (let n = 0; n < 500; n += 1)
    store.saveAttempt(past.id, {
      ...{ n, number: String(300 + (n % 10)), name: 'x', atMs, outcome: 'no_key', detail: '' },
    });
  begin();
  const { attempts } = await ended();
  expect(attempts).toMatchObject([
    { outcome: 'failed', detail: expect.stringContaining('500 alarm calls') as string },
    { number: '202', outcome: 'acknowledged' },
  ]);
  expect(dialled).toEqual(['202']);
  expect(events).toMatchObject([
    { data: { note: '500 of 500 alarm calls to numbers outside within a day' } },
  ]);
});
