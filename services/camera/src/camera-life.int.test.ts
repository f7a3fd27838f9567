/** What cameras report and how they come and go, against fake cameras and a core for tests. */
import { systemClock } from '@siphera/runtime';
import { startFakeCamera, type FakeCamera, type FakeCameraOptions } from '@siphera/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createOnvifPart } from './onvif.part.ts';
import { startRig, until, type Rig } from './testing/rig.ts';

let rig: Rig;
const fakes: FakeCamera[] = [];

beforeAll(async () => {
  rig = await startRig({
    parts: (ground, base) => [createOnvifPart(ground, base).part],
    env: { DISCOVERY_ADDRESSES: '127.0.0.1' },
  });
});
afterAll(() => rig.stop());
afterEach(async () => {
  for (const camera of rig.camera.ground.directory.all())
    await rig.rest('DELETE', `/camera/cameras/${camera.id}`);
  for (const camera of fakes.splice(0)) await camera.stop();
});

async function fake(options: FakeCameraOptions = {}): Promise<FakeCamera> {
  const camera = await startFakeCamera({ rtsp: false, ...options });
  fakes.push(camera);
  return camera;
}
const address = (camera: FakeCamera): string => `127.0.0.1:${camera.httpPort}`;
const input = (camera: FakeCamera, more: Record<string, unknown> = {}) => ({
  address: address(camera),
  credentials: camera.credentials,
  ...more,
});
const eventsOf = (id: string, type?: string) =>
  rig.core.events.filter((event) => event.subject === id && (type === undefined || event.type === type));
const state = async (id: string) =>
  ((await rig.rest('GET', `/camera/cameras/${id}`)).body as { state: Record<string, unknown> }).state;
const subscribed = (camera: FakeCamera, id: string): Promise<true> =>
  until(async () =>
    (await state(id))['events'] === 'subscribed' && camera.subscriptions() > 0 ? true : undefined,
  );

describe('what a camera reports', () => {
  it('becomes events once, also from two detectors for the same motion', async () => {
    const camera = await fake({ motionTopics: ['cell', 'alarm'] });
    const { id } = await rig.add(input(camera));
    await subscribed(camera, id);
    const signals: { kind: string }[] = [];
    const off = rig.camera.ground.signals.on((signal) => void signals.push(signal));
    camera.motion(true);
    await until(() => eventsOf(id, 'motion.started').length === 1);
    expect((await state(id))['motion']).toBe(true);
    camera.line();
    camera.tamper(true);
    camera.digitalInput(true);
    camera.motion(false);
    await until(() => eventsOf(id, 'motion.ended').length === 1);
    await until(() => eventsOf(id).length >= 6);
    off();
    expect(eventsOf(id).map(({ type }) => type)).toEqual([
      'device.online',
      'motion.started',
      'camera.line_crossed',
      'tamper.alarm',
      'camera.input_on',
      'motion.ended',
    ]);
    expect(rig.core.deadLetters).toEqual([]);
    expect(signals.filter(({ kind }) => kind === 'motion')).toMatchObject([{ on: true }, { on: false }]);
    expect(signals.filter(({ kind }) => kind === 'happened')).toHaveLength(5);
  });

  it('is dated by our clock, whatever the camera’s says', async () => {
    const camera = await fake({ clockOffsetMs: -86_400_000 });
    const { id } = await rig.add(input(camera));
    await subscribed(camera, id);
    camera.line();
    await until(() => eventsOf(id, 'camera.line_crossed').length === 1);
    const at = Date.parse(eventsOf(id, 'camera.line_crossed')[0]?.time ?? '');
    expect(Math.abs(at - systemClock.now())).toBeLessThan(60_000);
  });

  it('as a state is no edge: a reboot in the middle of a motion tells nothing twice, and events come again', async () => {
    const camera = await fake();
    const { id } = await rig.add(input(camera));
    await subscribed(camera, id);
    camera.motion(true);
    camera.tamper(true);
    await until(() => eventsOf(id, 'tamper.alarm').length === 1);
    await camera.reboot({ downMs: 700 });
    await until(() => camera.subscriptions() === 1 || undefined);
    camera.line();
    await until(() => eventsOf(id, 'camera.line_crossed').length === 1);
    expect(eventsOf(id, 'motion.started')).toHaveLength(1);
    expect(eventsOf(id, 'tamper.alarm')).toHaveLength(1);
  });

  it('and never ends is ended by the hold, also over a restart', async () => {
    const camera = await fake({ faults: { motionNeverEnds: true } });
    const { id } = await rig.add(input(camera));
    await rig.rest('PATCH', `/camera/cameras/${id}`, { motion_hold_ms: 1_500 });
    await subscribed(camera, id);
    camera.motion(true);
    await until(() => eventsOf(id, 'motion.started').length === 1);
    await until(() => eventsOf(id, 'motion.ended').length === 1);
    expect(eventsOf(id, 'motion.ended')[0]?.data['note']).toContain('hold');
    await rig.rest('PATCH', `/camera/cameras/${id}`, { motion_hold_ms: 2_500 });
    await subscribed(camera, id);
    rig.camera.ground.clock.now();
    camera.motion(true);
    await until(() => eventsOf(id, 'motion.started').length === 2);
    await rig.halt();
    await camera.unplug();
    await rig.restart();
    await until(() => eventsOf(id, 'motion.ended').length === 2);
  });
});

describe('a camera with a single pull point', () => {
  it('has it back when the service stops, so that the next start hears it at once', async () => {
    const camera = await fake({ subscriptionsMax: 1 });
    const { id } = await rig.add(input(camera));
    await subscribed(camera, id);
    await rig.halt();
    expect(camera.subscriptions()).toBe(0);
    await rig.restart();
    await subscribed(camera, id);
    camera.line();
    await until(() => eventsOf(id, 'camera.line_crossed').length === 1);
  });
});

describe('a camera that goes', () => {
  it('is told as offline after 15 s and online when it is back, with an event of each', async () => {
    const camera = await fake();
    const { id } = await rig.add(input(camera));
    await subscribed(camera, id);
    await camera.unplug();
    await until(async () => (await state(id))['connection'] === 'offline');
    expect((await state(id))['problem']).toMatch(/does not answer/);
    await until(() => eventsOf(id, 'device.offline').length === 1);
    await camera.plugIn();
    await until(() => eventsOf(id, 'device.online').length === 2);
    expect(await state(id)).toMatchObject({ connection: 'online', problem: null });
  });

  it('and whose password was changed says so, without hammering it', async () => {
    const camera = await fake();
    const { id } = await rig.add(input(camera));
    await subscribed(camera, id);
    await camera.unplug();
    const changed = await fake({
      httpPort: camera.httpPort,
      password: 'new-secret',
      serial: camera.serial,
      mac: camera.mac,
    });
    await until(async () => (await state(id))['connection'] === 'unauthorised');
    const before = changed.calls.length;
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(changed.calls.length - before).toBeLessThan(8);
    expect(
      (await rig.rest('PATCH', `/camera/cameras/${id}`, { credentials: changed.credentials })).status,
    ).toBe(200);
    await until(async () => (await state(id))['connection'] === 'online');
  });

  it('and comes back under another address is found by its endpoint and serial, and no other camera is taken for it', async () => {
    const camera = await fake({ discovery: true });
    const stranger = await fake({ discovery: { port: 3702 }, name: 'stranger' });
    const made = await rig.add(input(camera));
    await subscribed(camera, made.id);
    await camera.moveTo({ httpPort: camera.httpPort + 1 });
    await until(() => rig.camera.ground.directory.get(made.id)?.address === address(camera));
    await subscribed(camera, made.id);
    expect(address(camera)).not.toBe(address(stranger));
    await until(() => rig.core.audits.some((row) => row['action'] === 'camera.moved'));
  });
});
