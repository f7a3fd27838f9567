/** The running parts: services, published ports, the broker as a client sees it. */
import { servicesOf } from './box.ts';
import { askBroker, askHealth, isOpen } from './probe.ts';
import { broken, type Check, type Finding, ok } from './finding.ts';

export const servicesCheck: Check = async ({ box }) => {
  const findings: Finding[] = [];
  for (const service of servicesOf(box)) {
    const health = await askHealth(box.health[service]);
    if (health?.ok) findings.push(...ok(`${service} is healthy`));
    else {
      findings.push(
        ...broken(
          health ? `${service} says it is not well: ${health.text}` : `${service} does not answer`,
          {
            core: 'No event is taken, nothing rings.',
            panel: 'Alarm panels get no acknowledgement; they keep their alarms and try again.',
            camera: 'Nothing is recorded, no camera can be watched, incidents get no pictures.',
            'sip-bridge':
              'Changes of phones wait and no door opens by phone; calls and emergency calls go on without it.',
            signaling: 'Consoles fall back to the slower stream, under a red bar.',
          }[service],
          `siphera logs ${service}, then siphera restart`,
        ),
      );
    }
  }
  return findings;
};

export const portsCheck: Check = async ({ box }) => {
  const ports = {
    'front door (HTTPS)': box.front,
    'MQTT broker': box.mqtt,
    'alarm panels (DC-09)': box.dc09,
  };
  const findings: Finding[] = [];
  for (const [name, address] of Object.entries(ports)) {
    if (await isOpen(address)) findings.push(...ok(`Port ${address.port} is open: ${name}`));
    else {
      findings.push(
        ...broken(
          `Nothing listens on port ${address.port}: ${name}`,
          'Whoever needs it cannot reach the box.',
          'siphera status; if another program took the port, give ./install.sh another one.',
        ),
      );
    }
  }
  return findings;
};

export const brokerCheck: Check = async ({ box }) => {
  try {
    return ok(`The broker lets a certificate of the box's CA in (up ${await askBroker(box)})`);
  } catch (error) {
    return broken(
      `The broker refuses a good certificate: ${error instanceof Error ? error.message : String(error)}`,
      'Devices cannot deliver events; they keep them on their disks.',
      'siphera logs mosquitto; ./install.sh renews certificates and configuration.',
    );
  }
};
