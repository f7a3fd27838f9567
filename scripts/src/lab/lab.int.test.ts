import { admin, type Box, call, setupAdmin, startBox } from '@siphera/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { join } from 'node:path';
import { signIn } from './box-client.ts';
import { devices } from './building.ts';
import { Controllers } from './controllers.ts';
import type { LabOptions } from './options.ts';
import { enrolControllers, provisionBuilding } from './provision.ts';
import { runLab } from './run-lab.ts';

let box: Box;
let token: string;
let options: LabOptions;

beforeAll(async () => {
  // The agents enrol at the front door as they do at a customer's: TLS, by a name that resolves.
  box = await startBox({ frontDoor: true, hostName: 'localhost' });
  ({ token } = await setupAdmin(box));
  options = {
    box: new URL(box.origin),
    ca: box.mosquitto.ca.caPem,
    caFile: box.mosquitto.ca.caFile,
    email: admin.email,
    password: admin.password,
    dataDir: join(box.dir, 'lab'),
    panel: { host: '127.0.0.1', port: box.panel?.dc09Port ?? 0 },
    cameras: 0,
    cameraHost: undefined,
    rate: 3_600,
    startMinute: 8 * 60,
    durationMs: undefined,
    once: undefined,
    quiet: true,
  };
});
afterAll(async () => {
  await box.stop();
});

const eventsOf = async (type: string) =>
  (await call(box, 'listEvents', { token, query: { type, limit: 200 } })).items;

describe('the lab', () => {
  test('makes the building once, however often it runs', async () => {
    expect(await runLab({ ...options, once: 'door.forced' })).toBe(0);
    const first = await call(box, 'listDevices', { token, query: { limit: 1_000, tag: 'lab' } });
    expect(await runLab({ ...options, once: 'door.forced' })).toBe(0);
    const second = await call(box, 'listDevices', { token, query: { limit: 1_000, tag: 'lab' } });
    const ids = (page: typeof first) => new Set(page.items.map((device) => device.id));
    expect(ids(second)).toEqual(ids(first));
    expect(second.items).toHaveLength(devices.length);
    const serials = new Set(second.items.map((device) => device.external_id));
    expect(serials).toEqual(new Set(devices.map((device) => device.id)));
    const { items: floors } = await call(box, 'listFloors', { token, query: {} });
    expect(floors.map((floor) => floor.plan !== null)).toEqual([true, true]);
    expect(await eventsOf('door.forced')).toHaveLength(2);
  });

  test('lives through a part of a day with the panel, and leaves nothing uncommitted', async () => {
    expect(await runLab({ ...options, durationMs: 8_000 })).toBe(0);
    expect((await eventsOf('access.granted')).length).toBeGreaterThan(3);
    expect((await eventsOf('motion.started')).length).toBeGreaterThan(0);
    const { items } = await call(box, 'listPanelAccounts', { token, query: {} });
    expect(items.map((account) => [account.account, account.state])).toEqual([['4711', 'active']]);
    const dead = await call(box, 'listDeadLetters', { token, query: {} });
    expect(dead.items).toEqual([]);
  });

  test('unlocks a door that a guard unlocks, and the door says so', async () => {
    const enrolled = await provisionedControllers();
    const { items } = await call(box, 'listDevices', { token, query: { kind: 'door', limit: 50 } });
    const door = items[0];
    const command = await call(box, 'unlockDoor', {
      token,
      params: { id: door?.id ?? '' },
      body: { seconds: 1 },
      idempotencyKey: 'unlock-once',
    });
    await expect
      .poll(async () => (await call(box, 'getCommand', { token, params: { id: command.id } })).state)
      .toBe('confirmed');
    await enrolled.stop();
  });
});

async function provisionedControllers(): Promise<Controllers> {
  const client = await signIn(options);
  const report = () => undefined;
  const building = await provisionBuilding(client, report);
  const { dataDir, caFile } = options;
  const enrolled = await enrolControllers(client, building, { dataDir, caFile, boxUrl: box.origin, report });
  const controllers = await Controllers.start(enrolled, report);
  await expect.poll(() => controllers.connected).toBe(controllers.size);
  return controllers;
}
