/** Directories that are taken as storages, and disks that hang. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RecordingPolicy } from '@siphera/contract';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { KnownCamera } from '../../domain/camera.ts';
import {
  createRecorderGround,
  createRecorderParts,
  standInListeners,
  type RecorderGround,
} from '../../testing/recorder-ground.ts';
import { realFiles, type Files } from './files.ts';
import { Recorder } from './recorder.ts';
import { identityFile, type Storages } from './storages.ts';

const earlier = '0192f000-0000-7000-8000-0000000000d1';
const footage = '0192f000-0000-7000-8000-0000000000e1';
const identityText = `${JSON.stringify({ storage: earlier })}\n`;

let base: RecorderGround;
let directory: string;
let disk: string;

beforeEach(() => {
  base = createRecorderGround();
  ({ directory, disk } = base);
});
afterEach(() => {
  vi.useRealTimers();
  base.stop();
});

const storagesOn = (files: Files = realFiles): Storages =>
  createRecorderParts(base.ground, { files }).storages;

describe('a directory that is ours already', () => {
  it('is the first storage of a box with a new database, with what lies in it', async () => {
    mkdirSync(join(disk, footage), { recursive: true });
    writeFileSync(join(disk, identityFile), identityText);
    const storages = storagesOn();
    await storages.start();
    expect(storages.all().map(({ row, trouble }) => [row.id, row.path, trouble])).toEqual([
      [earlier, disk, undefined],
    ]);
    expect(existsSync(join(disk, footage))).toBe(true);
    // And is known from then on.
    const again = storagesOn();
    await again.start();
    expect(again.all().map(({ row }) => row.id)).toEqual([earlier]);
  });

  it('is taken when the power was cut between its identity and its row', async () => {
    const storages = storagesOn();
    await storages.start();
    const second = join(directory, 'second');
    mkdirSync(second);
    writeFileSync(join(second, identityFile), identityText);
    for (const name of ['.siphera-storage.new', '.siphera-probe', '.siphera-probe.new', 'lost+found'])
      writeFileSync(join(second, name), '');
    const { row } = await storages.add({ name: 'Second', path: second, quotaBytes: null });
    expect(row.id).toBe(earlier);
    expect(readFileSync(join(second, identityFile), 'utf8')).toBe(identityText);
  });

  it('is refused when it is a storage already, or footage of another box would be added to this one', async () => {
    mkdirSync(disk);
    writeFileSync(join(disk, identityFile), identityText);
    const storages = storagesOn();
    await storages.start();
    const second = join(directory, 'second');
    mkdirSync(second);
    writeFileSync(join(second, identityFile), identityText);
    const add = () => storages.add({ name: 'Second', path: second, quotaBytes: null });
    await expect(add()).rejects.toThrow('is not empty');
    writeFileSync(join(second, identityFile), identityText.replace('d1', 'd2'));
    mkdirSync(join(second, footage));
    await expect(add()).rejects.toThrow('is not empty');
  });

  it('is no excuse to write between the files of somebody else', async () => {
    mkdirSync(disk);
    writeFileSync(join(disk, 'holiday.mp4'), '');
    await expect(storagesOn().start()).rejects.toThrow('is not empty');
  });
});

describe('a disk that hangs', () => {
  /** Hangs at every call while it is told to; counts the calls. */
  function hangingFiles(): { files: Files; disk: { hangs: boolean; calls: number }; answer(): void } {
    const state = { hangs: false, calls: 0 };
    const waiting: (() => void)[] = [];
    const files = Object.fromEntries(
      Object.entries(realFiles).map(([name, call]) => [
        name,
        async (...args: unknown[]) => {
          state.calls += 1;
          if (state.hangs) await new Promise<void>((resolve) => waiting.push(resolve));
          return (call as (...args: unknown[]) => unknown)(...args);
        },
      ]),
    ) as Files;
    const answer = (): void => {
      state.hangs = false;
      for (const resolve of waiting.splice(0)) resolve();
    };
    return { files, disk: state, answer };
  }
  const fakeTimers = () =>
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });

  it('has failed after ten seconds, is asked no second time until it answers, and comes back', async () => {
    const { files, disk: state, answer } = hangingFiles();
    const storages = storagesOn(files);
    await storages.start();
    const [storage] = storages.all();
    fakeTimers();
    state.hangs = true;
    const check = storages.check();
    await vi.advanceTimersByTimeAsync(10_000);
    await check;
    expect(storage!.trouble).toEqual({
      state: 'failed',
      problem: expect.stringContaining('does not answer'),
    });
    const { calls } = state;
    await storages.check();
    await storages.check();
    expect(state.calls).toBe(calls);
    vi.useRealTimers();
    answer();
    await expect.poll(() => storage!.looking).toBeUndefined();
    // Only a write that works, some time later, ends a failure.
    base.clock.advance(10_001);
    await storages.check();
    expect(storage!.trouble).toBeUndefined();
  });

  it('holds up no start, neither the first nor a later one', async () => {
    const { files, disk: state, answer } = hangingFiles();
    state.hangs = true;
    fakeTimers();
    const first = storagesOn(files);
    const started = first.start();
    await vi.advanceTimersByTimeAsync(10_000);
    await started;
    expect(base.log).toContain('first_storage_hangs');
    vi.useRealTimers();
    answer();
    await expect.poll(() => first.all()).toHaveLength(1);
    await expect.poll(() => first.all()[0]!.looking).toBeUndefined();
    state.hangs = true;
    fakeTimers();
    const later = new Recorder(base.ground, standInListeners().streams, files);
    const startedLater = later.start();
    await vi.advanceTimersByTimeAsync(10_000);
    await startedLater;
    expect(later.storages.all().map(({ trouble }) => trouble?.state)).toEqual(['failed']);
    await later.stop();
  });

  it('does not silence the alarm that a camera is not recorded', async () => {
    base.stop();
    const camera = { id: footage, enabled: true, recording: RecordingPolicy.parse({}) } as KnownCamera;
    base = createRecorderGround([camera]);
    const { files, disk: state } = hangingFiles();
    const recorder = new Recorder(base.ground, standInListeners().streams, files);
    await recorder.start();
    state.hangs = true;
    base.clock.advance(31_000);
    fakeTimers();
    const look = recorder.look();
    expect(base.events).toEqual(['camera.recording_lost']);
    await vi.advanceTimersByTimeAsync(10_000);
    await look;
    expect(recorder.storages.all()[0]!.trouble?.problem).toContain('does not answer');
    await recorder.stop();
  });
});
