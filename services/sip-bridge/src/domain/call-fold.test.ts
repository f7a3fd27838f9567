import { describe, expect, it } from 'vitest';
import { addStep, readCall, stepOfEmergency, type CallFacts, type CallStep } from './call-fold.ts';

let made = 0;
const step = (state: CallStep['state'], atMs: number, more: Partial<CallStep> = {}): CallStep => {
  made += 1;
  return { uid: `u${made}`, atMs, state, ...more };
};
const call = (...steps: CallStep[]): CallFacts =>
  readCall(steps.reduce<readonly CallStep[]>((known, one) => addStep(known, one), []));
const dialled = (more: Partial<CallStep> = {}): CallStep =>
  step('dialled', 10, { direction: 'internal', from: '2001', dialled: '2002', to: '2002', ...more });

describe('a call', () => {
  it('rings, is answered, held, resumed, and ends as answered', () => {
    const first = dialled();
    const ringing = step('ringing', 11);
    const answered = step('answered', 15, { by: '2002', fromTag: 'f', toTag: 't' });
    const held = step('held', 20);
    expect(call(first).state).toBe('ringing');
    expect(call(first, ringing)).toMatchObject({ state: 'ringing', rang: true });
    expect(call(first, ringing, answered)).toMatchObject({
      state: 'answered',
      by: '2002',
      answeredMs: 15,
      fromTag: 'f',
      toTag: 't',
    });
    expect(call(first, ringing, answered, held).state).toBe('held');
    expect(call(first, ringing, answered, held, step('resumed', 25)).state).toBe('answered');
    expect(call(first, ringing, answered, held, step('ended', 30))).toMatchObject({
      state: 'ended',
      endedMs: 30,
      outcome: 'answered',
      reason: undefined,
    });
  });

  it('is answered by the trunk that carried it, not by one that failed before', () => {
    const facts = call(
      dialled({ direction: 'outbound', to: '+15550100' }),
      step('noted', 11, { trunk: 'first' }),
      step('answered', 15, { trunk: 'second' }),
    );
    expect(facts.trunk).toBe('second');
  });

  it('is held to have been answered when only that it was held came', () => {
    expect(call(dialled(), step('held', 20))).toMatchObject({ state: 'held', answeredMs: 20 });
  });

  it('that was looked for in vain is over, until it gives a sign of life', () => {
    const lost = step('lost', 50);
    expect(call(dialled(), step('answered', 15), lost)).toMatchObject({
      state: 'ended',
      endedMs: 50,
      outcome: 'answered',
      reason: 'Its end was not heard; it is over.',
    });
    expect(call(dialled(), step('answered', 15), lost, step('held', 60)).state).toBe('held');
    expect(call(dialled(), step('answered', 15), lost, step('ended', 70))).toMatchObject({
      endedMs: 70,
      reason: undefined,
    });
  });

  it.each([
    ['internal', true, 487, 'missed', 'The caller hung up before anybody answered.'],
    ['internal', false, 487, 'cancelled', 'The caller hung up before an answer.'],
    ['outbound', true, 487, 'cancelled', 'The caller hung up before an answer.'],
    ['inbound', true, 480, 'missed', 'Nobody answered.'],
    ['inbound', false, 480, 'missed', 'No phone of it was there.'],
    ['outbound', true, 408, 'failed', 'Nobody answered.'],
    ['internal', true, 486, 'busy', 'The line was busy.'],
    ['internal', true, 603, 'refused', 'It was declined.'],
    ['outbound', false, 404, 'failed', 'There is no such number.'],
    ['outbound', false, 503, 'failed', 'It failed on the way: Service Unavailable (503).'],
  ] as const)('%s, rung: %s, that failed with %i counts as %s', (direction, rang, code, outcome, reason) => {
    const steps = [dialled({ direction }), ...(rang ? [step('ringing', 11)] : [])];
    expect(call(...steps, step('failed', 20, { code, reason: 'Service Unavailable' }))).toMatchObject({
      outcome,
      reason,
    });
  });

  it('that Kamailio refused says why', () => {
    expect(call(step('refused', 10, { code: 503, reason: 'Too Many Calls' }))).toMatchObject({
      outcome: 'refused',
      reason: 'Not allowed or not possible: Too Many Calls (503).',
    });
  });

  it('for help is shown as such, with the trunk that carried it', () => {
    const base = { v: 1, kind: 'emergency', call: 'c', mode: 'emergency' } as const;
    const facts = call(
      stepOfEmergency({
        ...base,
        uid: 'e1',
        at_ms: 1,
        state: 'dialled',
        source: '10.0.0.5',
        dialled: '9911',
        number: '911',
      }),
      stepOfEmergency({ ...base, uid: 'e2', at_ms: 2, state: 'trunk_failed', trunk: 'a', code: 503 }),
      stepOfEmergency({ ...base, uid: 'e3', at_ms: 3, state: 'sent', trunk: 'b' }),
      stepOfEmergency({ ...base, uid: 'e4', at_ms: 4, state: 'answered', trunk: 'b' }),
    );
    expect(facts).toMatchObject({
      direction: 'emergency',
      from: '10.0.0.5',
      dialled: '9911',
      to: '911',
      trunk: 'b',
      state: 'answered',
    });
  });
});
