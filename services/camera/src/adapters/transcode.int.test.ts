import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { systemClock } from '@siphera/runtime';
import { tempDir, waitFor } from '@siphera/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { readFragment } from '../domain/mp4-fragment.ts';
import { tracksOf } from '../domain/mp4-init.ts';
import type { Fragment, InitSegment, StreamKey } from '../domain/media.ts';
import { quietLog, StandInStreams, testMetrics } from '../testing/stand-in-streams.ts';
import { Transcoder } from './transcode.ts';

const run = promisify(execFile);
const key: StreamKey = { cameraId: '0192f000-0000-7000-8000-000000000001', role: 'main' };
const other: StreamKey = { ...key, role: 'sub' };
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function rig(max: number): Promise<{ streams: StandInStreams; transcoder: Transcoder }> {
  const streams = new StandInStreams();
  stops.push(() => streams.stop());
  const transcoder = new Transcoder({
    ffmpeg: 'ffmpeg',
    streams,
    max: () => max,
    clock: systemClock,
    log: quietLog,
    metrics: testMetrics(),
  });
  stops.push(() => transcoder.stop());
  return { streams, transcoder };
}

class Heard {
  inits: InitSegment[] = [];
  fragments: Fragment[] = [];
  lostFor: string[] = [];
  init = (init: InitSegment): void => void this.inits.push(init);
  fragment = (fragment: Fragment): void => void this.fragments.push(fragment);
  lost = (reason: string): void => void this.lostFor.push(reason);
}

describe('a live transcode', () => {
  it('makes H.265 playable, with the wall time of the source, and again after the camera was away', async () => {
    const { streams, transcoder } = await rig(1);
    await streams.connect(key, { codec: 'h265', width: 320, height: 180 });
    const heard = new Heard();
    const stop = transcoder.listen(key, heard);
    await waitFor('two transcoded seconds', () => heard.fragments.length >= 8);
    expect(heard.inits[0]).toMatchObject({ video: 'h264', width: 320, height: 180 });
    expect(heard.inits[0]?.mime).toMatch(/^video\/mp4; codecs="avc1\.42[0-9a-f]{4}"$/);
    expect(heard.fragments[0]?.key).toBe(true);
    const last = heard.fragments.at(-1)!;
    expect(systemClock.now() - (last.startMs + last.durationMs)).toBeLessThan(60_000);
    for (const [index, fragment] of heard.fragments.slice(1).entries())
      expect(fragment.startMs).toBeGreaterThan(heard.fragments[index]!.startMs);
    await streams.disconnect(key);
    expect(heard.lostFor).toEqual(['The camera does not answer.']);
    await streams.connect(key, { codec: 'h265', width: 192, height: 108 });
    await waitFor('the second picture', () => heard.inits.length === 2 && heard.inits[1]?.width === 192);
    stop();
  });

  it('is shared by viewers, starts a late one at a key frame, and counts against the bound until its last one went', async () => {
    const { streams, transcoder } = await rig(1);
    await streams.connect(key, { codec: 'h265', width: 320, height: 180 });
    await streams.connect(other, { codec: 'h265', width: 320, height: 180 });
    const [first, second] = [new Heard(), new Heard()];
    const stopFirst = transcoder.listen(key, first);
    await waitFor('fragments', () => first.fragments.length >= 5);
    const stopSecond = transcoder.listen(key, second);
    expect(second.inits).toHaveLength(1);
    expect(second.fragments[0]?.key).toBe(true);
    expect(transcoder.count).toBe(1);
    expect(() => transcoder.listen(other, new Heard())).toThrow(/most that is set/);
    expect(() => transcoder.convert(Readable.from([]))).toThrow(/most that is set/);
    stopFirst();
    stopSecond();
    await waitFor('its end', () => transcoder.count === 0);
    expect(streams.listeners(key)).toBe(0);
  });
});

describe('a converted file', () => {
  it('is fragmented H.264, and a broken one ends', async () => {
    const { transcoder } = await rig(2);
    await using dir = await tempDir('transcode');
    const path = `${dir.path}/h265.mp4`;
    await run('ffmpeg', [
      ...['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=25', '-t', '2', '-c:v', 'libx265'],
      ...['-x265-params', 'log-level=none', '-movflags', '+empty_moov+frag_keyframe', path],
    ]);
    const made = await buffer(transcoder.convert(Readable.from([await readFile(path)])));
    const tracks = tracksOf(made);
    expect(tracks.map(({ entry }) => entry.type)).toEqual(['avc1']);
    expect(readFragment(made, tracks)?.video?.samples[0]?.key).toBe(true);
    await writeFile(`${dir.path}/made.mp4`, made);
    const { stdout } = await run('ffprobe', [
      ...[
        '-v',
        'error',
        '-count_frames',
        '-show_entries',
        'stream=codec_name,nb_read_frames',
        '-of',
        'csv=p=0',
      ],
      `${dir.path}/made.mp4`,
    ]);
    expect(stdout.trim()).toBe('h264,50');
    expect(await buffer(transcoder.convert(Readable.from([Buffer.alloc(5_000, 7)])))).toHaveLength(0);
    await waitFor('both to end', () => transcoder.count === 0);
  });
});
