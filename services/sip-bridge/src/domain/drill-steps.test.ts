import { TrunkInput } from '@siphera/contract';
import { describe, expect, it } from 'vitest';
import { drillRefusal, drillResult } from './drill-steps.ts';
import { foldCall, type FoldedCall } from './emergency-fold.ts';
import type { EmergencyEvent } from './switch-event.ts';

const trunk = (change: Record<string, unknown> = {}) =>
  TrunkInput.parse({ name: 'Test PSAP', host: 'psap.test', kind: 'address', uses: ['drill'], ...change });
const main = trunk({
  name: 'Main',
  host: 'sip.test',
  uses: ['calls', 'emergency'],
  numbers: [{ number: '+13035550100', extension: '2001' }],
});
const step = (
  ms: number,
  state: EmergencyEvent['state'],
  more: Partial<EmergencyEvent> = {},
): EmergencyEvent => ({
  v: 1,
  uid: `${state}-${ms}`,
  at_ms: 1_000 + ms,
  kind: 'emergency',
  call: 'd1',
  mode: 'drill',
  state,
  ...more,
});
const dialled = step(0, 'dialled', {
  number: '911',
  location: 'a',
  location_by: 'caller',
  callback: '+13035550100',
});
const good = [
  dialled,
  step(12, 'sent', { trunk: 't', style: 'pidf-lo' }),
  step(90, 'answered', { trunk: 't', style: 'pidf-lo' }),
  step(2_000, 'ended'),
];
const result = (reports: EmergencyEvent[], reason = '') =>
  drillResult({
    location: { id: 'a', label: 'Lobby' },
    call: foldCall(reports),
    outcome: { code: undefined, reason },
    trunkName: 'Test PSAP',
    trunks: [main],
  });
const shown = (reports: EmergencyEvent[], reason?: string): string[] =>
  result(reports, reason).steps.map(
    ({ what, ok, ms, detail }) => `${ok ? 'ok' : 'no'} ${what} ${ms ?? '-'}: ${detail}`,
  );

describe('the report of a drill', () => {
  it('passes with each step and its figure', () => {
    expect(result(good).passed).toBe(true);
    expect(shown(good)).toEqual([
      'ok INVITE on the test trunk 12: "Test PSAP", called 911',
      'ok Location as sent -: "Lobby", by the place in the call (PIDF-LO)',
      'ok Answered by the test PSAP 90: answered',
      'ok Call-back number -: +13035550100, a number of "Main"',
    ]);
  });

  it('fails where the test PSAP took the call only without the place', () => {
    const reports = [
      dialled,
      step(12, 'sent', { trunk: 't', style: 'pidf-lo' }),
      step(20, 'trunk_failed', { trunk: 't', code: 415, reason: 'Unsupported Media Type' }),
      step(21, 'sent', { trunk: 't', style: 'none' }),
      step(90, 'answered', { trunk: 't', style: 'none' }),
    ];
    expect(result(reports).passed).toBe(false);
    expect(shown(reports)[1]).toBe(
      'no Location as sent -: the call carried no place; before: 415 Unsupported Media Type',
    );
  });

  it('fails with the reason where nobody answered, no call-back is known, or it rings elsewhere', () => {
    const { callback: _, ...without } = dialled;
    const reports = [
      without,
      step(12, 'sent', { trunk: 't', style: 'elin' }),
      step(2_012, 'trunk_failed', { trunk: 't', code: 408, reason: 'No answer' }),
      step(2_013, 'failed', { code: 503, reason: 'No trunk took the call' }),
    ];
    expect(shown(reports).slice(2)).toEqual([
      'no Answered by the test PSAP -: 408 No answer',
      'no Call-back number -: none: nobody could call back',
    ]);
    expect(shown([{ ...dialled, callback: '+1999' }])[3]).toBe(
      'no Call-back number -: +1999 is not a number of a trunk: calls to it do not come here',
    );
  });

  it('fails in one step where Kamailio reported nothing', () => {
    expect(shown([], 'not registered')).toEqual([
      'no Call placed -: the SIP server reported no drill from here: not registered',
    ]);
  });

  it('says when nothing left at all, or another place was sent', () => {
    const call: FoldedCall | undefined = foldCall([{ ...dialled, location: 'b' }]);
    expect(call?.sentMs).toBeNull();
    expect(shown([{ ...dialled, location: 'b' }], 'busy').slice(0, 2)).toEqual([
      'no INVITE on the test trunk -: it never left: busy',
      'no Location as sent -: another place than "Lobby" was sent',
    ]);
  });
});

describe('a drill', () => {
  it('needs an enabled test PSAP', () => {
    expect(drillRefusal([main, trunk()])).toBeUndefined();
    expect(drillRefusal([main])).toBe('No trunk is set as the test PSAP.');
    expect(drillRefusal([trunk({ enabled: false })])).toBe('No trunk is set as the test PSAP.');
  });

  it.each([
    ['is itself for emergency calls', [trunk({ uses: ['drill', 'emergency'] })]],
    ['leads where emergency calls go', [main, trunk({ host: 'SIP.test' })]],
    [
      'leads where they went before that trunk was switched off',
      [{ ...main, enabled: false }, trunk({ host: 'sip.test' })],
    ],
  ])('is refused when its trunk %s', (_, trunks) => {
    expect(drillRefusal(trunks)).toContain('would call real help');
  });
});
