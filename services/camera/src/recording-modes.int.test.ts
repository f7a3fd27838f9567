/** The recording modes from what a camera reports to what is left on the disk, and the alarm of a promise that cannot be kept. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RecordingPolicy } from '@siphera/contract';
import { systemClock } from '@siphera/runtime';
import { startFakeCamera, startRtspServer, type FakeCamera, type FakeRtspServer } from '@siphera/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { place } from './testing/recording-kit.ts';
import { startRecordingRig, type RecordingRig } from './testing/recording-rig.ts';
import { startRig, until } from './testing/rig.ts';

const minuteMs = 60_000;
let rtsp: FakeRtspServer;
let camera: FakeCamera;
let box: RecordingRig;
let aheadMs: number;
const clock = { now: () => systemClock.now() + aheadMs, monotonic: () => systemClock.monotonic() + aheadMs };

beforeAll(async () => {
  rtsp = await startRtspServer();
});
afterAll(() => rtsp.stop());
beforeEach(async () => {
  aheadMs = 0;
  camera = await startFakeCamera({ rtsp, name: 'gate', main: { fps: 10, gopSeconds: 1 }, sub: false });
});
afterEach(() => camera.stop());

type Kept = { cameraId: string; fromMs: number; files: string[] };

/** Records for two seconds. */
async function recordOne(policy: Partial<RecordingPolicy>): Promise<Kept> {
  box = await startRecordingRig({ clock });
  const cameraId = place(box.rig, camera, {
    policy: { pre_roll_ms: 1_000, post_roll_ms: 5_000, ...policy },
  });
  await until(() => box.recordedMs(cameraId) > 2_000);
  const files = box.rig.camera.ground.db
    .prepare<[], { file: string }>('SELECT file FROM segments')
    .all()
    .map(({ file }) => file);
  return { cameraId, fromMs: box.segments(cameraId)[0]!.fromMs, files };
}

/** Ends the segment, lets the time pass after which it is judged, and sweeps. @returns whether its file is still there. */
async function isKept({ files }: Kept, waitMs = 3 * minuteMs): Promise<boolean> {
  await camera.unplug();
  await until(() => box.recording().recorder.growing === 0);
  aheadMs += waitMs;
  await box.recording().recorder.retention.sweep();
  const there = files.map((file) => existsSync(join(box.rig.directory, 'footage', file)));
  expect(new Set(there).size).toBe(1);
  return there[0]!;
}

describe('a mode', () => {
  afterEach(() => box.rig.stop());

  it('events keeps what lies around an event, and nothing else', async () => {
    const policy = { mode: 'events' } as const;
    const kept = await recordOne(policy);
    await until(() => box.rig.camera.base.states.get(kept.cameraId).recording === 'waiting');
    const happened = { type: 'camera.tampered', title: 'Tampered', eventId: 'one', atMs: clock.now() };
    box.rig.camera.ground.signals.emit({ kind: 'happened', cameraId: kept.cameraId, ...happened });
    await until(() => box.rig.camera.base.states.get(kept.cameraId).recording === 'recording');
    expect(await isKept(kept)).toBe(true);
  });

  it('events lets go of the rest after the post-roll', async () => {
    const quiet = await recordOne({ mode: 'events' });
    expect(await isKept(quiet)).toBe(false);
    expect(box.segments(quiet.cameraId)).toEqual([]);
    expect(box.recording().recorder.storages.usedBy(quiet.cameraId)).toBe(0);
  });

  it('motion keeps what a rule or somebody asked for, though nothing moved', async () => {
    const kept = await recordOne({ mode: 'motion' });
    const span = { fromMs: kept.fromMs, toMs: kept.fromMs + 500, why: 'A rule asked for it.' };
    box.rig.camera.ground.signals.emit({ kind: 'keep', cameraId: kept.cameraId, ...span });
    expect(await isKept(kept)).toBe(true);
  });

  it('schedule keeps its windows on the clock of the site, and nothing else', async () => {
    const always = { days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '24:00' };
    const inside = await recordOne({ mode: 'schedule', schedule: [always] as RecordingPolicy['schedule'] });
    await until(() => box.rig.camera.base.states.get(inside.cameraId).recording === 'recording');
    expect(await isKept(inside)).toBe(true);
  });

  it('schedule lets go of what lies outside of its windows', async () => {
    const outside = await recordOne({ mode: 'schedule', schedule: [] });
    await until(() => box.rig.camera.base.states.get(outside.cameraId).recording === 'waiting');
    expect(await isKept(outside)).toBe(false);
  });

  it('keeps footage of events for its own days, and all else for fewer', async () => {
    const dayMs = 86_400_000;
    const kept = await recordOne({ mode: 'continuous', keep_days: 1, keep_event_days: 3 });
    const happened = { type: 'camera.tampered', title: 'Tampered', eventId: 'one', atMs: clock.now() };
    box.rig.camera.ground.signals.emit({ kind: 'happened', cameraId: kept.cameraId, ...happened });
    expect(await isKept(kept)).toBe(true);
    expect(await isKept(kept, 2 * dayMs)).toBe(true);
    expect(await isKept(kept, 2 * dayMs)).toBe(false);
  });
});

describe('a promise of days', () => {
  afterEach(() => box.rig.stop());

  it('that the disk cannot keep is told to core, once a day', async () => {
    await recordOne({ mode: 'continuous', keep_days: 3_650 });
    const { recorder } = box.recording();
    const short = (): number => box.eventTypes().filter((type) => type === 'camera.retention_short').length;
    const [storage] = recorder.storages.all();
    recorder.storages.change(storage!, { quota_bytes: 50_000_000 });
    // Bitrates are measured over a minute, and nothing is said in the first ten.
    await until(() => recorder.forecaster.forecast().bytesPerDay > 0);
    recorder.forecaster.alarm();
    expect(short()).toBe(0);
    aheadMs = 11 * minuteMs;
    await until(() => recorder.forecaster.forecast().short.length > 0);
    recorder.forecaster.alarm();
    await until(() => short() === 1);
    recorder.forecaster.alarm();
    const told = box.rig.core.events.find(({ type }) => type === 'camera.retention_short')!;
    expect(told.data['reason']).toMatch(/"Camera" for [\d.]+ of 3650 days\. Add a disk, or promise less\./);
    aheadMs += 1_440 * minuteMs;
    await until(() => recorder.forecaster.forecast().short.length > 0);
    recorder.forecaster.alarm();
    await until(() => short() === 2);
  });
});

describe('a plain RTSP camera that is not recorded', () => {
  it('is online by a look at its stream, before and after it was recorded, and without anybody taking its picture', async () => {
    const rig = await startRig();
    try {
      const id = place(rig, camera, { policy: { mode: 'off' } });
      const state = () => rig.camera.base.states.get(id);
      await until(() => state().connection === 'online');
      expect(await camera.rtspClients()).toBe(0);
      const { registry } = rig.camera.base;
      const row = registry.row(id)!;
      registry.save({ ...row, recording: { ...row.recording, mode: 'continuous' } });
      await until(async () => (await camera.rtspClients()) === 1);
      registry.save(row);
      await until(async () => (await camera.rtspClients()) === 0);
      expect(state()).toMatchObject({
        connection: 'online',
        recording: 'off',
        problem: null,
        bitrate_bps: 0,
      });
      await camera.unplug();
      await until(() => state().connection === 'offline');
    } finally {
      await rig.stop();
    }
  });
});
