import type { MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { coreUser, type Mosquitto, startMosquitto } from './mosquitto.ts';
import { createTestCa } from './pki.ts';
import { type TempDir, tempDir } from './temp-dir.ts';
import { waitFor } from './wait.ts';

let dir: TempDir;
let broker: Mosquitto;
let core: MqttClient;
const heard: { topic: string; text: string }[] = [];

beforeAll(async () => {
  dir = await tempDir('mqtt');
  broker = await startMosquitto({ dir: dir.path });
  core = await broker.connect(await broker.issueClientCert(coreUser), { clientId: 'core', clean: false });
  core.on('message', (topic, payload) => heard.push({ topic, text: payload.toString() }));
  await core.subscribeAsync('siphera/v1/#', { qos: 1 });
});
afterAll(async () => {
  await core.endAsync(true);
  await broker.stop();
  await dir.remove();
});

describe('the broker of the test kit', () => {
  it('lets a device speak on its own topic and drops what it says on another one', async () => {
    const device = await broker.connect(await broker.issueClientCert('dev-1'));
    await device.publishAsync('siphera/v1/org/dev-2/event', 'foreign', { qos: 1 });
    await device.publishAsync('siphera/v1/org/dev-1/command', 'not mine to say', { qos: 1 });
    await device.publishAsync('siphera/v1/org/dev-1/event', 'own', { qos: 1 });
    await waitFor('the device to be heard', () => heard.length > 0);
    expect(heard).toEqual([{ topic: 'siphera/v1/org/dev-1/event', text: 'own' }]);
    await device.endAsync(true);
  });

  it('lets no device take the session of core by its client id', async () => {
    let cut = 0;
    const onClose = (): void => {
      cut += 1;
    };
    core.on('close', onClose);
    const thief = await broker.connect(await broker.issueClientCert('dev-3'), {
      clientId: 'core',
      clean: true,
    });
    const also = await broker.connect(await broker.issueClientCert('dev-4'), {
      clientId: coreUser,
      clean: true,
    });
    const before = heard.length;
    await also.publishAsync('siphera/v1/org/dev-4/event', 'core still hears', { qos: 1 });
    await waitFor('core to hear it', () => heard.length > before);
    core.off('close', onClose);
    expect(cut).toBe(0);
    await thief.endAsync(true);
    await also.endAsync(true);
  });

  it('refuses a client whose certificate comes from another authority', async () => {
    await using otherDir = await tempDir('pki');
    const other = await createTestCa(otherDir.path);
    const stranger = await other.issueClient('dev-1');
    const files = { ...stranger, caFile: broker.ca.caFile };
    await expect(broker.connect(files, { reconnectPeriod: 0, connectTimeout: 5_000 })).rejects.toThrow();
  });

  it('carries messages again after a kill and a start', async () => {
    const reconnected = new Promise<void>((resolve) => core.once('connect', () => resolve()));
    await broker.kill9();
    await broker.daemon.start();
    await reconnected;
    await core.publishAsync('siphera/v1/org/dev-1/ack', 'after the kill', { qos: 1 });
    await waitFor('the broker to carry messages again', () =>
      heard.some(({ text }) => text === 'after the kill'),
    );
    expect(broker.daemon.running).toBe(true);
  });
});
