import { createHash, randomUUIDv7, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:https';
import { once } from 'node:events';
import { join } from 'node:path';
import {
  admin,
  type Box,
  call,
  freePort,
  setupAdmin,
  startBox,
  type TempDir,
  tempDir,
} from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { orgId } from '../../testing/ack-box.ts';
import { enrol } from './enrol.ts';
import { readIdentity } from './identity.ts';

let box: Box;
let dir: TempDir;
let token: string;
let device: { id: string };
let made = 0;

beforeAll(async () => {
  dir = await tempDir('enrol');
  box = await startBox({ frontDoor: true, hostName: 'localhost', services: [] });
  ({ token } = await setupAdmin(box));
  const [site] = (await call(box, 'listSites', { token })).items;
  const area = await call(box, 'createArea', {
    token,
    body: { site_id: site?.id ?? '', name: `Of ${admin.name}` },
  });
  device = await call(box, 'createDevice', {
    token,
    body: { area_id: area.id, kind: 'controller', name: 'North controller' },
  });
  const door = {
    area_id: area.id,
    parent_id: device.id,
    kind: 'door',
    name: 'North door',
    external_id: 'D-1',
  } as const;
  await call(box, 'createDevice', { token, body: door });
});
afterAll(async () => {
  await box.stop();
  await dir.remove();
});

const newCode = async () =>
  (await call(box, 'createEnrolmentCode', { token, params: { id: device.id } })).code;
const newDir = (): string => join(dir.path, `agent-${(made += 1)}`);
const fingerprint = (): string =>
  createHash('sha256').update(new X509Certificate(box.mosquitto.ca.caPem).raw).digest('hex');

describe('enrolment', () => {
  test('gives a certificate for a key that stays here, and the devices behind the agent', async () => {
    const dataDir = newDir();
    const trust = { caFile: box.mosquitto.ca.caFile };
    const identity = await enrol({ dataDir, box: box.origin, code: await newCode(), trust });
    expect(identity).toMatchObject({ deviceId: device.id, children: [{ kind: 'door', external_id: 'D-1' }] });
    expect(await readIdentity(dataDir)).toEqual(identity);
    for (const name of ['agent.key', 'agent.crt', 'ca.crt', 'identity.json']) {
      expect(statSync(join(dataDir, 'identity', name)).mode & 0o777).toBe(0o600);
    }
  });

  test('knows the box by the fingerprint of its CA', async () => {
    const trust = {
      fingerprint: fingerprint()
        .toUpperCase()
        .replaceAll(/(..)(?=.)/g, '$1:'),
    };
    const identity = await enrol({ dataDir: newDir(), box: box.origin, code: await newCode(), trust });
    expect(identity.deviceId).toBe(device.id);
  });

  test('sends nothing to a box under another CA, and the code stays good', async () => {
    const code = await newCode();
    const dataDir = newDir();
    const wrong = fingerprint().replace(/^./, (first) => (first === 'a' ? 'b' : 'a'));
    const byFingerprint = enrol({ dataDir, box: box.origin, code, trust: { fingerprint: wrong } });
    await expect(byFingerprint).rejects.toMatchObject({ code: 'box_untrusted' });
    const other = await box.mosquitto.issueClientCert('not-a-ca');
    const byFile = enrol({ dataDir, box: box.origin, code, trust: { caFile: other.certFile } });
    await expect(byFile).rejects.toMatchObject({ code: 'box_untrusted' });
    const trust = { caFile: box.mosquitto.ca.caFile };
    await expect(enrol({ dataDir, box: box.origin, code, trust })).resolves.toMatchObject({
      deviceId: device.id,
    });
  });

  test('is refused with a wrong code, and with one that was used', async () => {
    const trust = { caFile: box.mosquitto.ca.caFile };
    const wrong = enrol({ dataDir: newDir(), box: box.origin, code: 'AAAAA-AAAAA', trust });
    await expect(wrong).rejects.toMatchObject({ code: 'enrolment_refused' });
    const code = await newCode();
    await enrol({ dataDir: newDir(), box: box.origin, code, trust });
    const again = enrol({ dataDir: newDir(), box: box.origin, code, trust });
    await expect(again).rejects.toMatchObject({ code: 'enrolment_refused' });
  });

  test('keeps nothing of an answer that is for another key', async () => {
    const server = await box.mosquitto.ca.issueServer('fake-box', 'fake-box', ['localhost']);
    const foreign = await box.mosquitto.issueClientCert(randomUUIDv7());
    const answer = {
      device_id: randomUUIDv7(),
      org_id: orgId,
      certificate_pem: readFileSync(foreign.certFile, 'utf8'),
      ca_pem: box.mosquitto.ca.caPem,
      mqtt_url: 'mqtts://localhost:8883',
      children: [],
    };
    const fake = createServer(
      { cert: readFileSync(server.certFile), key: readFileSync(server.keyFile) },
      (request, response) => {
        request.resume();
        response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      },
    );
    const port = await freePort();
    fake.listen(port, '127.0.0.1');
    await once(fake, 'listening');
    const dataDir = newDir();
    const trust = { caFile: box.mosquitto.ca.caFile };
    const attempt = enrol({ dataDir, box: `https://localhost:${port}`, code: 'AAAAA-AAAAA', trust });
    await expect(attempt).rejects.toMatchObject({ code: 'identity_invalid' });
    await expect(readIdentity(dataDir)).rejects.toMatchObject({ code: 'not_enrolled' });
    fake.close();
  });

  test('needs an https address', async () => {
    const trust = { fingerprint: fingerprint() };
    const attempt = enrol({ dataDir: newDir(), box: 'http://localhost', code: 'AAAAA-AAAAA', trust });
    await expect(attempt).rejects.toMatchObject({ code: 'usage' });
  });
});
