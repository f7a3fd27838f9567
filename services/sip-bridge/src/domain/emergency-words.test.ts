import { eventTypes, IncomingEvent, InternalIncidentLine, InternalOpenIncident } from '@siphera/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldCall, type EmergencyReport } from './emergency-fold.ts';
import { wordsOf, type NamedCall, type SpokenWord } from './emergency-words.ts';
import { CallbackEvent, type EmergencyEvent } from './switch-event.ts';

const at = Date.UTC(2026, 2, 2, 8);
const id = '0192f000-0000-7000-8000-0000000000c1';
const place = { org_id: id, site_id: id };
const step = (
  ms: number,
  state: EmergencyEvent['state'],
  more: Partial<EmergencyEvent> = {},
): EmergencyEvent => ({
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
});
const named = (reports: readonly EmergencyReport[], change: Partial<NamedCall> = {}): NamedCall => ({
  id,
  call: foldCall(reports) ?? expect.fail('no call'),
  callerName: 'Gil Guard',
  locationLabel: 'Lobby',
  trunkNames: { t1: 'Main' },
  siteId: null,
  areaId: null,
  timeZone: 'Europe/Vienna',
  ...change,
});
const lines = (reports: EmergencyReport[], change: Partial<NamedCall> = {}): string[] =>
  reports.flatMap((report, index) =>
    wordsOf(report, named(reports.slice(0, index + 1), change), index === 0).map(
      ({ kind, body }) => `${kind}: ${String(body['text'] ?? body['type'])}`,
    ),
  );

describe('what the incident of an emergency call says', () => {
  it('tells each step with the time of the site', () => {
    expect(
      lines([
        dialled,
        step(20, 'sent', { trunk: 't1', style: 'pidf-lo' }),
        step(2_020, 'trunk_failed', { trunk: 't1', code: 408, reason: 'No answer' }),
        step(2_021, 'sent', { trunk: 't9', style: 'none' }),
        step(2_500, 'ringing'),
        step(5_000, 'answered'),
        step(75_000, 'ended'),
        CallbackEvent.parse({
          v: 1,
          uid: 'cb',
          at_ms: at + 90_000,
          kind: 'callback',
          call: 'c2',
          emergency: 'c1',
          from: '+13035551234',
          reached: false,
        }),
      ]),
    ).toEqual([
      'open: 09:00:00 2001 Gil Guard dialled 9911. Place: Lobby (by the area of the phone). Call-back: +13035550100.',
      'event: emergency.called',
      'line: 09:00:00 Sent on "Main" after 20 ms, with the place in the call (PIDF-LO).',
      'line: 09:00:02 "Main" did not take the call: 408 No answer.',
      'line: 09:00:02 Sent on "t9" after 2021 ms, with no place.',
      'line: 09:00:05 Answered after 5.0 s.',
      'line: 09:01:15 Ended; they spoke for 1 min 10 s. Until 11:00:00 +13035550100 rings the caller.',
      'line: 09:01:30 Call-back from +13035551234 did not reach the caller.',
    ]);
  });

  it('says that nobody was reached, as a line and as an event', () => {
    expect(
      lines([dialled, step(30, 'failed', { code: 503, reason: 'No trunk took the call' })]).slice(2),
    ).toEqual([
      'line: 09:00:00 No trunk took the call: 503 No trunk took the call. Call for help by another way.',
      'event: emergency.failed',
    ]);
  });

  it('names an unknown phone by its address, and says that it is not proved who calls', () => {
    const [opening] = lines([step(0, 'dialled', { dialled: '911', source: '10.0.0.9' })], {
      callerName: '',
      locationLabel: null,
      timeZone: undefined,
    });
    expect(opening).toBe(
      'open: 08:00:00 UTC an unknown phone at 10.0.0.9 (not proved who) dialled 911. Place: no place (not known). Call-back: none.',
    );
  });

  it('opens with what there is, and tells who it was once that is known', () => {
    const sent = step(20, 'sent', { trunk: 't1', style: 'elin' });
    const told = wordsOf(dialled, named([sent, dialled]), false);
    expect(told.map(({ kind, body }) => [kind, String(body['text'])])).toEqual([
      ['line', expect.stringContaining('2001 Gil Guard dialled 9911')],
    ]);
  });

  it.each(['test', 'drill'] as const)('says nothing of a %s', (mode) => {
    const report = { ...dialled, mode };
    expect(wordsOf(report, named([report]), true)).toEqual([]);
  });

  it('fits what core takes, whatever strangers write', () => {
    const text = fc.string({ unit: 'binary', maxLength: 300 });
    const parse = ({ kind, body }: SpokenWord): void => {
      if (kind === 'open') InternalOpenIncident.parse({ ...body, ...place });
      else if (kind === 'line') InternalIncidentLine.parse({ ...body, incident_id: id });
      else eventTypes[IncomingEvent.parse(body).type]?.data.parse(body['data']);
    };
    fc.assert(
      fc.property(text, text, text, text, (from, typed, reason, label) => {
        const reports = [
          { ...dialled, from, dialled: typed, number: typed, callback: typed, source: reason },
          step(9, 'trunk_failed', { trunk: from, reason }),
          step(10, 'failed', { reason }),
        ];
        for (const [index, report] of reports.entries())
          for (const word of wordsOf(
            report,
            named(reports, { callerName: label, locationLabel: label }),
            index === 0,
          ))
            parse(word);
      }),
      { numRuns: 100 },
    );
  });
});
