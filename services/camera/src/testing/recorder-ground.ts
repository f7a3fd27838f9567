/** What the recorder stands on, without core, cameras and ffmpeg: a database and a disk in a directory, and a clock that stands. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, openDatabase } from '@siphera/runtime';
import { fakeClock, fakeRandom, type FakeClock } from '@siphera/testkit';
import type { KnownCamera, Signal } from '../domain/camera.ts';
import type { Fragment, InitSegment, LiveStreams, StreamListener } from '../domain/media.ts';
import type { Ground } from '../ground.ts';
import { realFiles } from '../adapters/recorder/files.ts';
import type { RecorderParts } from '../adapters/recorder/parts.ts';
import { Storages } from '../adapters/recorder/storages.ts';
import { MarkStore } from '../store/mark.store.ts';
import { SegmentStore } from '../store/segment.store.ts';
import { StorageStore } from '../store/storage.store.ts';

export type RecorderGround = {
  ground: Ground;
  clock: FakeClock;
  directory: string;
  /** Where footage goes. */
  disk: string;
  /** Event names of the log. */
  log: string[];
  /** Types of the events that core would get. */
  events: string[];
  stop(): void;
};

export function createRecorderGround(cameras: readonly KnownCamera[] = []): RecorderGround {
  const directory = mkdtempSync(join(tmpdir(), 'siphera-recorder-'));
  const disk = join(directory, 'footage');
  const db = openDatabase(join(directory, 'camera.db'));
  migrate(db, join(import.meta.dirname, '..', '..', 'migrations'), 0);
  const log: string[] = [];
  const events: string[] = [];
  const note = (event: string): void => void log.push(event);
  const clock = fakeClock();
  const ground = {
    config: { RECORDINGS_DIR: disk },
    log: { debug: note, info: note, warn: note, error: note },
    clock,
    random: fakeRandom(),
    db,
    directory: { all: () => cameras, get: (id: string) => cameras.find((camera) => camera.id === id) },
    outbox: { event: ({ type }: { type: string }) => void events.push(type) },
    signals: { on: (_listener: (signal: Signal) => void) => () => undefined },
    setState: () => undefined,
  } as unknown as Ground;
  return {
    ground,
    clock,
    directory,
    disk,
    log,
    events,
    stop: () => {
      db.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** What a recorder's parts share, for tests of one of them. */
export function createRecorderParts(ground: Ground, more: Partial<RecorderParts> = {}): RecorderParts {
  const files = more.files ?? realFiles;
  const segments = new SegmentStore(ground.db);
  return {
    ground,
    files,
    streams: standInListeners().streams,
    segments,
    marks: new MarkStore(ground.db),
    storages: new Storages({ ground, files, segments, store: new StorageStore(ground.db) }),
    growing: new Map(),
    making: new Set(),
    onPressure: () => undefined,
    waiting: { bytes: 0 },
    ...more,
  };
}

export const standInInit: InitSegment = {
  bytes: Buffer.from('init'),
  mime: 'video/mp4; codecs="avc1.64001f"',
  video: 'h264',
  width: 640,
  height: 360,
  timescale: 90_000,
};

export const standInFragment = (startMs: number, key = true): Fragment => ({
  bytes: Buffer.from('fragment'),
  key,
  startMs,
  durationMs: 500,
  decodeTime: 0,
});

/** Streams whose listeners the test speaks to. */
export function standInListeners(): { streams: LiveStreams; listeners: Set<StreamListener> } {
  const listeners = new Set<StreamListener>();
  const streams: LiveStreams = {
    listen: (_key, listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    rtp: () => undefined,
    current: () => undefined,
  };
  return { streams, listeners };
}
