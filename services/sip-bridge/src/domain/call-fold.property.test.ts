/** Whatever comes in whatever order, however often, with gaps and restarts between: one consistent call. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addStep, readCall, stepsMax, type CallStep } from './call-fold.ts';

const states = [
  'dialled',
  'ringing',
  'answered',
  'held',
  'resumed',
  'ended',
  'failed',
  'refused',
  'noted',
  'lost',
] as const;
const texts = fc.option(fc.constantFrom('2001', '2002', '+15550100', ''), { nil: undefined });
const step = fc.record<Omit<CallStep, 'uid'>>({
  atMs: fc.integer({ min: 0, max: 20 }),
  state: fc.constantFrom(...states),
  direction: fc.option(fc.constantFrom('internal', 'inbound', 'outbound', 'alarm', 'emergency', 'drill'), {
    nil: undefined,
  }),
  from: texts,
  to: texts,
  by: texts,
  dialled: texts,
  code: fc.option(fc.constantFrom(200, 404, 408, 480, 486, 487, 503, 603), { nil: undefined }),
  reason: texts,
  relayed: fc.option(fc.boolean(), { nil: undefined }),
});
const reports = fc
  .array(step, { minLength: 1, maxLength: 12 })
  .map((steps) => steps.map((one, index): CallStep => ({ ...one, uid: `u${index}` })));

const fold = (steps: readonly CallStep[]): readonly CallStep[] =>
  steps.reduce<readonly CallStep[]>((known, one) => addStep(known, one), []);
/** As the store keeps it between two reports. */
const restart = (steps: readonly CallStep[]): CallStep[] => JSON.parse(JSON.stringify(steps)) as CallStep[];

describe('the fold of reports into a call', () => {
  it('gives the same call in any order, with doubles, and with a restart after each report', () => {
    fc.assert(
      fc.property(
        reports.chain((list) =>
          fc.tuple(
            fc.constant(list),
            fc.shuffledSubarray([...list, ...list], {
              minLength: list.length * 2,
              maxLength: list.length * 2,
            }),
          ),
        ),
        ([list, shuffled]) => {
          const again = shuffled.reduce<readonly CallStep[]>(
            (known, one) => restart(addStep(known, one)),
            [],
          );
          expect(readCall(again)).toEqual(readCall(restart(fold(list))));
        },
      ),
    );
  });

  it('gives a consistent call with any of its reports missing', () => {
    fc.assert(
      fc.property(
        reports.chain((list) => fc.shuffledSubarray(list, { minLength: 1 })),
        (some) => {
          const call = readCall(fold(some));
          expect(call.state === 'ended').toBe(call.endedMs !== undefined);
          expect(call.outcome !== undefined).toBe(call.endedMs !== undefined);
          if (call.answeredMs !== undefined) expect(call.answeredMs).toBeGreaterThanOrEqual(call.startedMs);
          if (call.endedMs !== undefined)
            expect(call.endedMs).toBeGreaterThanOrEqual(call.answeredMs ?? call.startedMs);
          if (call.outcome) expect(call.outcome === 'answered').toBe(call.answeredMs !== undefined);
          if (call.outcome && call.outcome !== 'answered') expect(call.reason).toBeTruthy();
        },
      ),
    );
  });

  it('ends for good with a real end, whatever comes after', () => {
    fc.assert(
      fc.property(reports, fc.constantFrom('ended', 'failed', 'refused'), (list, state) => {
        const call = readCall(fold([...list, { uid: 'end', atMs: 25, state }]));
        expect(call.state).toBe('ended');
      }),
    );
  });

  it('keeps its beginning, its answer and its end when somebody holds and resumes without end', () => {
    let steps = fold([
      { uid: 'a', atMs: 1, state: 'dialled' },
      { uid: 'b', atMs: 2, state: 'answered' },
    ]);
    for (let index = 0; index < 500; index += 1)
      steps = addStep(steps, {
        uid: `h${index}`,
        atMs: 3 + index,
        state: index % 2 === 0 ? 'held' : 'resumed',
      });
    steps = addStep(steps, { uid: 'z', atMs: 900, state: 'ended' });
    expect(steps.length).toBeLessThanOrEqual(stepsMax);
    expect(readCall(steps)).toMatchObject({ startedMs: 1, answeredMs: 2, endedMs: 900, outcome: 'answered' });
  });
});
