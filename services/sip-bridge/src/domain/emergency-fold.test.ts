import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldCall, type EmergencyReport } from './emergency-fold.ts';
import { CallbackEvent, EmergencyEvent } from './switch-event.ts';

const at = 1_000_000;
const step = (
  ms: number,
  state: EmergencyEvent['state'],
  more: Partial<EmergencyEvent> = {},
): EmergencyEvent =>
  EmergencyEvent.parse({
    v: 1,
    uid: `${state}-${ms}`,
    at_ms: at + ms,
    kind: 'emergency',
    call: 'c1',
    mode: 'emergency',
    state,
    ...more,
  });
const dialled = step(0, 'dialled', {
  from: '2001',
  verified: true,
  dialled: '9911',
  number: '911',
  location: 'lobby',
  location_by: 'area',
  callback: '+13035550100',
  source: '10.0.0.7',
});
const callback = CallbackEvent.parse({
  v: 1,
  uid: 'cb',
  at_ms: at + 9_000,
  kind: 'callback',
  call: 'c2',
  emergency: 'c1',
  from: '+13035551234',
  reached: true,
});
/** The first trunk is dead, the second one takes it. */
const whole: EmergencyReport[] = [
  dialled,
  step(20, 'sent', { trunk: 'one', style: 'pidf-lo' }),
  step(2_020, 'trunk_failed', { trunk: 'one', code: 408, reason: 'No answer' }),
  step(2_021, 'sent', { trunk: 'two', style: 'elin' }),
  step(2_400, 'ringing', { trunk: 'two', style: 'elin' }),
  step(5_000, 'answered', { trunk: 'two', style: 'elin' }),
  step(65_000, 'ended'),
  callback,
];

describe('an emergency call out of its reports', () => {
  it('says who, where, on which trunk, and when', () => {
    expect(foldCall(whole)).toEqual({
      kind: 'emergency',
      number: '911',
      dialled: '9911',
      from: '2001',
      address: '10.0.0.7',
      verified: true,
      locationId: 'lobby',
      locationBy: 'area',
      callback: '+13035550100',
      trunkId: 'two',
      style: 'elin',
      state: 'ended',
      startedMs: at,
      sentMs: at + 20,
      answeredMs: at + 5_000,
      endedMs: at + 65_000,
      attempts: [{ trunkId: 'one', code: 408, reason: 'No answer' }],
      callbacks: [{ atMs: at + 9_000, from: '+13035551234', reached: true }],
    });
  });

  it.each([
    [1, 'dialling'],
    [4, 'dialling'],
    [5, 'ringing'],
    [6, 'answered'],
    [7, 'ended'],
  ])('after %i reports is %s', (count, state) => {
    expect(foldCall(whole.slice(0, count))?.state).toBe(state);
  });

  it('that no trunk took stays failed, whatever ends after it', () => {
    const call = foldCall([
      dialled,
      step(30, 'failed', { code: 503, reason: 'No trunk' }),
      step(90, 'ended'),
    ]);
    expect(call).toMatchObject({ state: 'failed', endedMs: at + 90, sentMs: null, trunkId: null });
  });

  it('is the same in whatever order its reports come', () => {
    const expected = foldCall(whole);
    fc.assert(
      fc.property(fc.shuffledSubarray(whole, { minLength: whole.length }), (reports) => {
        expect(foldCall(reports)).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  it('is not there for a call back alone, and is there without the report of its beginning', () => {
    expect(foldCall([callback])).toBeUndefined();
    expect(foldCall([step(20, 'sent', { trunk: 'one' })])).toMatchObject({
      state: 'dialling',
      locationBy: 'none',
      verified: false,
      from: null,
    });
  });

  it('carried no place when its trunk took it only without', () => {
    const call = foldCall([
      dialled,
      step(20, 'sent', { trunk: 'one', style: 'pidf-lo' }),
      step(40, 'trunk_failed', {
        trunk: 'one',
        style: 'pidf-lo',
        code: 415,
        reason: 'Unsupported Media Type',
      }),
      step(41, 'sent', { trunk: 'one', style: 'none' }),
    ]);
    expect(call?.style).toBe('none');
  });
});
