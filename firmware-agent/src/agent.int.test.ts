import { randomUUIDv7 } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { agentWindow, deviceTopic } from '@siphera/contract';
import { type Mosquitto, startMosquitto, type TempDir, tempDir, waitFor } from '@siphera/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AckBox, orgId } from '../testing/ack-box.ts';
import { install, type Installed, recordingDriver, startHere } from '../testing/bench.ts';
import type { Agent } from './agent.ts';

let dir: TempDir;
let mosquitto: Mosquitto;
let box: AckBox;
const agents: Agent[] = [];

beforeAll(async () => {
  dir = await tempDir('agent');
  mosquitto = await startMosquitto({ dir: dir.path });
});
beforeEach(async () => {
  box = await AckBox.connect(mosquitto);
});
afterEach(async () => {
  for (const agent of agents.splice(0)) await agent.stop();
  await box.close();
});
afterAll(async () => {
  await mosquitto.stop();
  await dir.remove();
});

async function start(installed: Installed, driver = recordingDriver().driver): Promise<Agent> {
  const agent = await startHere(installed, driver);
  agents.push(agent);
  return agent;
}

const stop = async (agent: Agent): Promise<void> => {
  agents.splice(agents.indexOf(agent), 1);
  await agent.stop();
};

const emit = (agent: Agent, n: number) => agent.emit({ type: 'motion.started', data: { value: n } });
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);
async function emitAll(agent: Agent, numbers: readonly number[]): Promise<void> {
  for (let at = 0; at < numbers.length; at += 100) {
    await Promise.all(numbers.slice(at, at + 100).map((n) => emit(agent, n)));
  }
}
const settled = (agent: Agent) => waitFor('everything to be committed', () => agent.stats().held === 0);
const inAnHour = () => new Date(performance.timeOrigin + performance.now() + 3_600_000).toISOString();

describe('events', () => {
  test('reach the box once, in order, with the trace and the device they are about', async () => {
    const child = { id: randomUUIDv7(), kind: 'door' as const, name: 'North door', external_id: 'D-7' };
    const agent = await start(await install(dir.path, mosquitto, { children: [child] }));
    await emitAll(agent, range(1, 500));
    await agent.emit({ type: 'door.forced', device: 'D-7', data: { note: 'by hand' } });
    await settled(agent);
    expect(box.numbers()).toEqual(range(1, 500));
    const last = box.events.at(-1);
    expect(last).toMatchObject({ type: 'door.forced', subject: child.id, sequence: 501 });
    expect(last?.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  test('are refused at once when the box could not take them', async () => {
    const agent = await start(await install(dir.path, mosquitto));
    await expect(agent.emit({ type: 'door.forced', device: 'nobody' })).rejects.toMatchObject({
      code: 'unknown_device',
    });
    await expect(agent.emit({ type: 'motion.started', data: { value: 'high' } })).rejects.toMatchObject({
      code: 'event_invalid',
    });
    const big = { note: 'x', blob: 'y'.repeat(70_000) };
    await expect(agent.emit({ type: 'door.opened', data: big })).rejects.toMatchObject({
      code: 'event_too_big',
    });
  });

  test('wait on the disk through a long time offline and come in order', async () => {
    const installed = await install(dir.path, mosquitto);
    let agent = await start(installed);
    await emitAll(agent, range(1, 10));
    await settled(agent);
    await agent.setNetwork(false);
    await emitAll(agent, range(11, 2_500));
    await stop(agent);
    agent = await start(installed);
    await emitAll(agent, range(2_501, 3_000));
    await settled(agent);
    expect(box.numbers()).toEqual(range(1, 3_000));
    expect(box.gaps).toEqual([]);
  });

  test('are all there after the broker was killed again and again', async () => {
    const agent = await start(await install(dir.path, mosquitto));
    for (const round of range(0, 3)) {
      const running = emitAll(agent, range(round * 400 + 1, round * 400 + 400));
      await waitFor('some to arrive', () => box.arrived.length > round * 400);
      await mosquitto.kill9();
      await running;
      await mosquitto.restart();
    }
    await settled(agent);
    expect(box.numbers()).toEqual(range(1, 1_600));
  });

  test('stay on the disk when nobody acknowledges, with at most one window on the way', async () => {
    const installed = await install(dir.path, mosquitto);
    const agent = await start(installed);
    box.paused = true;
    await emitAll(agent, range(1, 400));
    await waitFor('the window to fill', () => box.arrived.length >= agentWindow);
    // Longer than the silence after which the agent sends again: the repeats must be the same window.
    await waitFor('the repeat', () => box.arrived.length >= 2 * agentWindow);
    expect(Math.max(...box.arrived.map((event) => event.sequence))).toBe(agentWindow);
    expect(agent.stats().held).toBe(400);
    await box.resume(installed.deviceId);
    await settled(agent);
    expect(box.numbers()).toEqual(range(1, 400));
  });
});

describe('an acknowledgement', () => {
  test('of an old stream, or that cannot be read, forgets nothing', async () => {
    const installed = await install(dir.path, mosquitto);
    const agent = await start(installed);
    box.paused = true;
    await emitAll(agent, range(1, 5));
    await waitFor('them to arrive', () => box.arrived.length >= 5);
    await box.ack(installed.deviceId, { stream: 'an-old-stream', committed: 5 });
    await waitFor('the ack to be seen', () => agent.stats().staleAcks === 1);
    expect(agent.stats().held).toBe(5);
    await box.resume(installed.deviceId);
    await settled(agent);
    expect(box.numbers()).toEqual(range(1, 5));
  });

  test('of more than was ever sent moves everything to a new stream, and nothing is lost', async () => {
    const installed = await install(dir.path, mosquitto);
    const agent = await start(installed);
    box.paused = true;
    await emitAll(agent, range(1, 5));
    await waitFor('them to arrive', () => box.arrived.length >= 5);
    const { stream } = agent.stats();
    await box.ack(installed.deviceId, { stream, committed: 99 });
    await waitFor('the new stream', () => agent.stats().stream !== stream);
    expect(agent.stats()).toMatchObject({ held: 5, floor: 1, wrongAcks: 1 });
    await box.resume(installed.deviceId);
    await emitAll(agent, range(6, 9));
    await settled(agent);
    expect(box.numbers()).toEqual(range(1, 9));
  });
});

describe('the broker', () => {
  test('refuses an event on the topic of another device', async () => {
    const mine = await install(dir.path, mosquitto);
    const other = await install(dir.path, mosquitto);
    const client = await mosquitto.connect(mine.files, { protocolVersion: 5, reconnectPeriod: 0 });
    const publish = client.publishAsync(deviceTopic(orgId, other.deviceId, 'event'), '{}', { qos: 1 });
    await expect(publish).rejects.toThrow(/not authorized/i);
    await client.endAsync(true);
    expect(box.arrived).toEqual([]);
  });

  test('tells the box when an agent is there, and by its last will when it died', async () => {
    const installed = await install(dir.path, mosquitto);
    const agent = await start(installed);
    await waitFor('online', () => box.states.some((state) => state.online));
    await waitFor('a heartbeat', () => box.telemetry.length > 0);
    await agent.setNetwork(false);
    await waitFor('the last will', () => box.states.at(-1)?.online === false);
    expect(box.states.at(-1)).toEqual({ online: false });
    await agent.setNetwork(true);
    await waitFor('online again', () => box.states.at(-1)?.online === true);
    await stop(agent);
    await waitFor('goodbye', () => box.states.at(-1)?.online === false);
  });

  test('carries the state of the devices behind an agent, retained', async () => {
    const child = { id: randomUUIDv7(), kind: 'door' as const, name: 'North door', external_id: null };
    const installed = await install(dir.path, mosquitto, { children: [child] });
    const agent = await start(installed);
    agent.setState({ device: child.id, state: 'locked', online: true });
    await waitFor('the state', () =>
      box.states.some((state) => state.children?.[child.id]?.state === 'locked'),
    );
    await box.close();
    box = await AckBox.connect(mosquitto);
    await waitFor('the retained state', () => box.states.some((state) => state.children?.[child.id]?.online));
  });
});

describe('commands', () => {
  const command = (target: string) => ({
    id: randomUUIDv7(),
    name: 'unlock' as const,
    target,
    args: { seconds: 5 },
    expires_at: inAnHour(),
  });

  test('are executed once; a repeated id gets the first result, after a restart too', async () => {
    const installed = await install(dir.path, mosquitto);
    let count = 0;
    const recorder = recordingDriver(async () => ({ ok: true, state: `unlocked-${(count += 1)}` }));
    let agent = await start(installed, recorder.driver);
    await waitFor('online', () => agent.stats().connected);
    const unlock = command(installed.deviceId);
    for (let times = 1; times <= 2; times += 1) {
      await box.command(installed.deviceId, unlock);
      await waitFor('the result', () => box.results.length === times);
    }
    await stop(agent);
    agent = await start(installed, recorder.driver);
    await waitFor('online', () => agent.stats().connected);
    await box.command(installed.deviceId, unlock);
    await waitFor('the result', () => box.results.length === 3);
    expect(recorder.executed).toEqual([unlock.id]);
    expect(box.results.map((result) => result.state)).toEqual(['unlocked-1', 'unlocked-1', 'unlocked-1']);
  });

  test('that are late, or for a device elsewhere, are refused and never executed', async () => {
    const installed = await install(dir.path, mosquitto);
    const recorder = recordingDriver();
    const agent = await start(installed, recorder.driver);
    await waitFor('online', () => agent.stats().connected);
    await box.command(installed.deviceId, {
      ...command(installed.deviceId),
      expires_at: '2026-01-01T00:00:00Z',
    });
    await box.command(installed.deviceId, command(randomUUIDv7()));
    await waitFor('both results', () => box.results.length === 2);
    expect(box.results.map((result) => result.ok)).toEqual([false, false]);
    expect(recorder.executed).toEqual([]);
  });

  test('that the hardware fails say so', async () => {
    const installed = await install(dir.path, mosquitto);
    const { driver } = recordingDriver(async () => {
      await sleep(1);
      throw new Error('Relay 3 does not answer');
    });
    const agent = await start(installed, driver);
    await waitFor('online', () => agent.stats().connected);
    await box.command(installed.deviceId, command(installed.deviceId));
    await waitFor('the result', () => box.results.length === 1);
    expect(box.results[0]).toMatchObject({ ok: false, error: 'Relay 3 does not answer' });
  });
});
