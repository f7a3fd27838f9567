/** The relay for calls: does it answer, and does it show the certificate of today? */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { pkiFile } from './box.ts';
import { type Check, ok, warning } from './finding.ts';
import { askRelay, shownCertificate } from './probe.ts';

const why = 'Calls between networks that find no direct way do not come about.';

export const relayCheck: Check = async ({ box }) => {
  const { relay } = box;
  if (!relay) return ok('The relay for calls is switched off (--turn-port)');
  if (!(await askRelay(relay.turn))) {
    return warning(
      `The relay for calls does not answer on UDP port ${relay.turn.port}`,
      why,
      'siphera logs coturn, then siphera restart',
    );
  }
  const shown = await shownCertificate(relay.turns, box.hostName);
  const kept = new X509Certificate(readFileSync(pkiFile(box, 'turn', 'turn.crt')));
  if (shown?.fingerprint256 === kept.fingerprint256) return ok('The relay for calls answers, by TLS too');
  return warning(
    shown
      ? 'The relay for calls shows another certificate than the one it was given'
      : `The relay for calls does not answer by TLS on port ${relay.turns.port}`,
    'Where only TLS passes, calls do not come about.',
    'siphera logs coturn, then siphera restart',
  );
};
