/** Finds fake cameras on loopback and over a wire, by our own probe and by the one of the npm package onvif. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import { openNetwork } from '../network-namespace.ts';
import { freePort } from '../ports.ts';
import { waitFor } from '../wait.ts';
import { discoveryGroup } from './discovery.ts';
import { startFakeCamera } from './fake-camera.ts';
import { child, parseXml, textOf } from './xml.ts';

const probe = (types: string, scopes = '') => `<?xml version="1.0"?>
<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery">
<e:Header><w:MessageID>uuid:1-2-3</w:MessageID><w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To><w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>
<e:Body><d:Probe><d:Types>${types}</d:Types><d:Scopes>${scopes}</d:Scopes></d:Probe></e:Body></e:Envelope>`;

type Found = {
  address: string;
  urn: string | undefined;
  xaddrs: string | undefined;
  scopes: string;
  relates: string;
};

/** Means every camera; what is said to another probe before has come when this is answered. */
const last = 'uuid:9-9-9';

/** Sends a probe and keeps what comes back. */
async function find(text: string, to: { address: string; port: number; from: string }): Promise<Found[]> {
  const found: Found[] = [];
  let isAnswered = false;
  const socket = createSocket('udp4');
  socket.bind(0, to.from);
  await once(socket, 'listening');
  socket.setMulticastInterface(to.from);
  socket.on('message', (bytes, { address }) => {
    const root = parseXml(bytes.toString('utf8'));
    const match = child(root, 'Body', 'ProbeMatches', 'ProbeMatch');
    if (textOf(root, 'Header', 'RelatesTo') === last) isAnswered = true;
    else
      found.push({
        address,
        urn: textOf(match, 'EndpointReference', 'Address'),
        xaddrs: textOf(match, 'XAddrs'),
        scopes: textOf(match, 'Scopes') ?? '',
        relates: textOf(root, 'Header', 'RelatesTo') ?? '',
      });
  });
  socket.send(text, to.port, to.address);
  socket.send(probe('').replace('uuid:1-2-3', last), to.port, to.address);
  await waitFor('the answer to the last', () => isAnswered);
  socket.close();
  return found;
}

it('answers a probe on loopback, sent to the group or straight to it, when it is meant', async () => {
  const port = await freePort();
  await using camera = await startFakeCamera({ rtsp: false, model: 'Dome 5', discovery: { port } });
  const self = { address: '127.0.0.1', urn: camera.urn, xaddrs: camera.deviceUrl, relates: 'uuid:1-2-3' };
  for (const address of ['127.0.0.1', discoveryGroup]) {
    const to = { address, port, from: '127.0.0.1' };
    expect(await find(probe('dn:NetworkVideoTransmitter'), to)).toMatchObject([self]);
    expect(await find(probe('', 'onvif://www.onvif.org/hardware/Dome%205'), to)).toMatchObject([self]);
    expect(await find(probe('dn:NetworkVideoDisplay'), to)).toEqual([]);
    expect(await find(probe('', 'onvif://www.onvif.org/hardware/Other'), to)).toEqual([]);
  }
});

it('is found by another client through a wire, and tells the address it moved to', async () => {
  await using network = await openNetwork({ hostLink: true });
  const host = network.link!.outside;
  await using camera = await startFakeCamera({ rtsp: false, host, discovery: true });
  const onvif = createRequire(import.meta.url).resolve('onvif');
  const script = `require(${JSON.stringify(onvif)}).Discovery.probe({ timeout: 700, resolve: false }, (error, found) => {
    process.stdout.write(JSON.stringify(found.map((one) => one.probeMatches.probeMatch)));
    process.exit(error ? 1 : 0);
  })`;
  const heard = async () =>
    JSON.parse(await network.run(process.execPath, ['-e', script])) as { XAddrs: string }[];
  // Its client listens for a moment only.
  const answered = () =>
    waitFor('an answer', async () => {
      const answers = await heard();
      return answers.length > 0 && answers.map(({ XAddrs }) => XAddrs);
    });
  expect(await answered()).toEqual([camera.deviceUrl]);
  await camera.moveTo({ httpPort: await freePort() });
  expect(await answered()).toEqual([camera.deviceUrl]);
  await camera.unplug();
  expect(await heard()).toEqual([]);
});
