/** `siphera doctor`: runs the checks one by one and prints what is wrong, why it matters, and what to do. */
import type { Command } from './command.ts';
import { certificateCheck, certificateShownCheck } from './doctor-certificates.ts';
import { footageCheck, janusCheck, mediaAddressCheck, pictureToolsCheck } from './doctor-cameras.ts';
import { backupCheck, clockCheck, diskCheck, memoryCheck, permissionCheck } from './doctor-machine.ts';
import { kamailioCheck, planCheck, soundCheck } from './doctor-phones.ts';
import { relayCheck } from './doctor-relay.ts';
import { brokerCheck, portsCheck, servicesCheck } from './doctor-services.ts';
import type { Check } from './finding.ts';

const checks: readonly Check[] = [
  clockCheck,
  diskCheck,
  memoryCheck,
  permissionCheck,
  servicesCheck,
  portsCheck,
  brokerCheck,
  footageCheck,
  pictureToolsCheck,
  janusCheck,
  mediaAddressCheck,
  relayCheck,
  kamailioCheck,
  planCheck,
  soundCheck,
  certificateCheck,
  certificateShownCheck,
  backupCheck,
];

/** Exit 0 when nothing is broken; a warning is not broken. */
export const doctor: Command = async ({ box, print, clock }) => {
  let broken = 0;
  for (const check of checks) {
    const findings = await check({ box, nowMs: clock.now() });
    for (const { level, what, why, todo } of findings) {
      print(`${{ ok: '✓', warning: '!', broken: '✗' }[level]} ${what}`);
      if (level === 'ok') continue;
      print(`    why it matters: ${why ?? ''}`);
      print(`    what to do:     ${todo ?? ''}`);
      if (level === 'broken') broken += 1;
    }
  }
  print(broken === 0 ? 'Nothing is broken.' : `${broken} broken.`);
  return broken === 0 ? 0 : 1;
};
