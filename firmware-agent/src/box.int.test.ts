import { join } from 'node:path';
import { type Box, call, setupAdmin, startBox, waitFor } from '@siphera/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordingDriver } from '../testing/bench.ts';
import { type Agent, startAgent } from './agent.ts';
import { parseConfig } from './config.ts';
import { systemClock } from './domain/clock.ts';
import { systemRandom } from './domain/random.ts';
import { enrol } from './enrol/enrol.ts';
import { createLog } from './log.ts';

/** The smallest queue the config takes: it overflows within a test. */
const smallQueue = 256 * 1_024;

let box: Box;
let token: string;
let areaId: string;

beforeAll(async () => {
  box = await startBox({ frontDoor: true, hostName: 'localhost', services: [] });
  ({ token } = await setupAdmin(box));
  const [site] = (await call(box, 'listSites', { token })).items;
  areaId = (await call(box, 'createArea', { token, body: { site_id: site?.id ?? '', name: 'Plant room' } }))
    .id;
});
afterAll(async () => {
  await box.stop();
});

async function newAgent(name: string): Promise<{ agent: Agent; deviceId: string }> {
  const body = { area_id: areaId, kind: 'controller', name } as const;
  const { id } = await call(box, 'createDevice', { token, body });
  const { code } = await call(box, 'createEnrolmentCode', { token, params: { id } });
  const dataDir = join(box.dir, 'agents', name);
  const trust = { caFile: box.mosquitto.ca.caFile };
  const identity = await enrol({ dataDir, box: box.origin, code, trust });
  const agent = await startAgent({
    config: parseConfig({ data_dir: dataDir, queue: { bytes_max: smallQueue } }, '/'),
    identity,
    driver: recordingDriver().driver,
    clock: systemClock,
    random: systemRandom,
    log: createLog({ clock: systemClock, level: 'error', write: () => undefined }),
  });
  return { agent, deviceId: id };
}

async function storedNumbers(deviceId: string, type: string): Promise<number[]> {
  const numbers: number[] = [];
  let cursor: string | undefined;
  do {
    const query = { device_id: deviceId, type, limit: 200, cursor };
    const page = await call(box, 'listEvents', { token, query });
    numbers.push(...page.items.map((event) => Number(event.data['value'] ?? event.data['missing'])));
    cursor = page.next_cursor;
  } while (cursor !== undefined);
  // Newest first, as the console shows them.
  return numbers.reverse();
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const settled = (agent: Agent) => waitFor('everything to be committed', () => agent.stats().held === 0);

test('every event is in the box once and in order after core was killed again and again', async () => {
  const { agent, deviceId } = await newAgent('killed-core');
  let emitted = 0;
  for (let round = 0; round < 5; round += 1) {
    const batch = Array.from({ length: 100 }, () =>
      agent.emit({ type: 'motion.started', data: { value: (emitted += 1) } }),
    );
    await Promise.all(batch);
    await box.core.daemon.kill9();
    await box.core.daemon.start();
  }
  await settled(agent);
  expect(await storedNumbers(deviceId, 'motion.started')).toEqual(range(500));
  await agent.stop();
});

test('after a queue that overflowed offline the box has every alarm, and knows how much is missing', async () => {
  const { agent, deviceId } = await newAgent('overflow');
  await waitFor('the connection', () => agent.stats().connected);
  await agent.setNetwork(false);
  let alarms = 0;
  for (let n = 1; n <= 2_000; n += 1) {
    if (n % 100 === 0) await agent.emit({ type: 'panic.pressed', data: { value: (alarms += 1) } });
    await agent.emit({ type: 'motion.started', data: { value: n } });
  }
  expect(agent.stats().bytes).toBeLessThan(smallQueue * 1.01);
  expect(agent.stats().dropped).toBeGreaterThan(0);
  await agent.setNetwork(true);
  await settled(agent);
  expect(await storedNumbers(deviceId, 'panic.pressed')).toEqual(range(alarms));
  const arrived = await storedNumbers(deviceId, 'motion.started');
  const missing = (await storedNumbers(deviceId, 'system.stream_gap')).reduce((sum, count) => sum + count, 0);
  expect(arrived.length + missing).toBe(2_000);
  expect(arrived).toEqual(arrived.toSorted((a, b) => a - b));
  await agent.stop();
});
