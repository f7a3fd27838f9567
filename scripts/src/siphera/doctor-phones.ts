/** What carries phones: does Kamailio answer, does it work with what is set, do the relays for sound answer? */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { broken, type Check, ok, warning } from './finding.ts';
import { askDaemon } from './probe.ts';

/** A change is with Kamailio within a second; one that was made just now is no finding. */
const planGraceMs = 30_000;

export const kamailioCheck: Check = async ({ box }) => {
  if (!box.phones) return ok('Phones are switched off (--sip-port)');
  const up = await askDaemon(box.phones.kamailio);
  if (up === undefined) return [];
  return up
    ? ok('Kamailio answers: phones and emergency calls')
    : broken(
        'Kamailio does not answer',
        'No phone of this box can call, not even an emergency number.',
        'siphera logs kamailio, then siphera restart',
      );
};

/** The bridge writes the plan, and beside it that Kamailio took it. */
export const planCheck: Check = ({ box, nowMs }) => {
  if (!box.phones) return [];
  const changedAt = (name: string): number =>
    statSync(join(box.dataDir, 'sip', 'plan', name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const plan = changedAt('plan.sqlite');
  if (plan > 0 && changedAt('applied') >= plan)
    return ok('Kamailio works with the phones and numbers that are set');
  if (nowMs - plan < planGraceMs) return [];
  return warning(
    'Kamailio does not work with what is set for phones, but with what was there before',
    'Phones, trunks and emergency places that were added or changed are not known to it.',
    'siphera logs sip-bridge tells why, then siphera restart',
  );
};

/** Kamailio sends calls through the one that is left. */
export const soundCheck: Check = async ({ box }) => {
  if (!box.phones) return [];
  const probes = Object.entries(box.phones.relays);
  const answers = await Promise.all(
    probes.map(async ([name, probe]) => ({ name, up: await askDaemon(probe) })),
  );
  const silent = answers.filter(({ up }) => up === false).map(({ name }) => name);
  if (silent.length === 0) {
    return answers.some(({ up }) => up === undefined)
      ? []
      : ok('Both relays for the sound of phone calls answer');
  }
  const what = `No answer from what relays the sound of phone calls: ${silent.join(', ')}`;
  const todo = `siphera logs ${silent[0] ?? ''}, then siphera restart`;
  return silent.length < probes.length
    ? warning(
        what,
        'Calls on it fell silent; new ones go through the other one, and nothing is left when that fails.',
        todo,
      )
    : broken(what, 'New calls have no sound, or do not come about.', todo);
};
