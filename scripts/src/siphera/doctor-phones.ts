/** What carries phones: does Kamailio answer? */
import { broken, type Check, ok } from './finding.ts';
import { askDaemon } from './probe.ts';

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
