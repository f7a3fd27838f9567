/** What a drill looked at, in words with figures, out of what Kamailio reported of its call. Pure. */
import type { DrillResult, TrunkInput } from '@siphera/contract';
import type { z } from 'zod';
import type { FoldedCall } from './emergency-fold.ts';
import { styleInWords } from './emergency-words.ts';
import type { Location } from './location-row.ts';

export type DrillStep = z.infer<typeof DrillResult>['steps'][number];
export type DrilledCall = {
  location: Pick<Location, 'id' | 'label'>;
  /** Undefined: Kamailio reported no call from there. */
  call: FoldedCall | undefined;
  /** How the call went for whoever dialled. */
  outcome: { code: number | undefined; reason: string };
  trunkName: string | undefined;
  trunks: readonly Pick<TrunkInput, 'name' | 'enabled' | 'numbers'>[];
};

/** Nobody counts whether a phone showed the notice: so nothing is said of it here. */
export function drillResult(drilled: DrilledCall): z.infer<typeof DrillResult> {
  const { location, call } = drilled;
  const steps = call
    ? [
        inviteStep(call, drilled),
        placeStep(call, drilled),
        answerStep(call, drilled),
        callbackStep(call, drilled),
      ]
    : [step('Call placed', false, null, `the SIP server reported no drill from here: ${said(drilled)}`)];
  return { location_id: location.id, label: location.label, passed: steps.every(({ ok }) => ok), steps };
}

const step = (what: string, ok: boolean, ms: number | null, detail: string): DrillStep => ({
  what,
  ok,
  ms,
  detail: detail.slice(0, 500),
});

function inviteStep(call: FoldedCall, drilled: DrilledCall): DrillStep {
  const what = 'INVITE on the test trunk';
  if (call.sentMs === null)
    return step(what, false, null, `it never left: ${failures(call) || said(drilled)}`);
  const trunk = drilled.trunkName ?? call.trunkId ?? 'unknown';
  return step(what, true, call.sentMs - call.startedMs, `"${trunk}", called ${call.number}`);
}

function placeStep(call: FoldedCall, { location }: DrilledCall): DrillStep {
  const what = 'Location as sent';
  if (call.locationId !== location.id)
    return step(what, false, null, `another place than "${location.label}" was sent`);
  if (call.sentMs === null) return step(what, false, null, 'nothing was sent');
  const carries = call.style !== null && call.style !== 'none';
  return step(
    what,
    carries,
    null,
    carries
      ? `"${location.label}", by ${styleInWords(call.style)}`
      : `the call carried no place${call.attempts.length > 0 ? `; before: ${failures(call)}` : ''}`,
  );
}

function answerStep(call: FoldedCall, drilled: DrilledCall): DrillStep {
  const what = 'Answered by the test PSAP';
  return call.answeredMs === null
    ? step(what, false, null, failures(call) || said(drilled))
    : step(what, true, call.answeredMs - call.startedMs, 'answered');
}

function callbackStep(call: FoldedCall, { trunks }: DrilledCall): DrillStep {
  const what = 'Call-back number';
  if (call.callback === null) return step(what, false, null, 'none: nobody could call back');
  const trunk = trunks.find(
    ({ enabled, numbers }) => enabled && numbers.some(({ number }) => number === call.callback),
  );
  return trunk
    ? step(what, true, null, `${call.callback}, a number of "${trunk.name}"`)
    : step(what, false, null, `${call.callback} is not a number of a trunk: calls to it do not come here`);
}

const failures = (call: FoldedCall): string =>
  call.attempts
    .map(({ code, reason }) => [code, reason].filter((part) => part !== null && part !== '').join(' '))
    .join('; ');

const said = ({ outcome }: DrilledCall): string =>
  [outcome.code, outcome.reason].filter((part) => part !== undefined && part !== '').join(' ') ||
  'no reason given';

/**
 * Why no drill can be: a trunk that is both would call real help.
 * @returns undefined when one can be.
 */
export function drillRefusal(
  trunks: readonly Pick<TrunkInput, 'name' | 'enabled' | 'uses' | 'host' | 'port'>[],
): string | undefined {
  const enabled = trunks.filter((trunk) => trunk.enabled);
  const tests = enabled.filter(({ uses }) => uses.includes('drill'));
  if (tests.length === 0) return 'No trunk is set as the test PSAP.';
  // One that is switched off for now leads to real help all the same.
  const real = trunks.filter(({ uses }) => uses.includes('emergency'));
  for (const test of tests) {
    const same = real.find(
      ({ host, port }) => host.toLowerCase() === test.host.toLowerCase() && port === test.port,
    );
    if (same)
      return `The test PSAP "${test.name}" is where emergency calls go ("${same.name}"): a drill would call real help.`;
  }
  return undefined;
}
