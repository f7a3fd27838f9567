import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { makeMp4, StandInFootage } from '../../testing/stand-in-footage.ts';
import { exactStills } from './exact-still.ts';

/** Every picture of the source, in order, as the same JPEG encoder sees it. */
const frameOf = (mp4: Buffer, number: number): Buffer =>
  execFileSync(
    'ffmpeg',
    [
      ...['-nostdin', '-v', 'error', '-i', 'pipe:0', '-vf', `select=eq(n\\,${number})`, '-frames:v', '1'],
      ...['-q:v', '3', '-f', 'mjpeg', 'pipe:1'],
    ],
    { input: mp4 },
  );

describe('a still', () => {
  it('is the very picture of its moment, also between key frames', async () => {
    const footage = new StandInFootage();
    footage.add('dock', 1_000_000, { seconds: 4 });
    const still = exactStills('ffmpeg', footage);
    for (const frame of [0, 12, 37, 60]) {
      const picture = await still('dock', 1_000_000 + frame * 40);
      expect({ frame, same: picture?.equals(frameOf(makeMp4({ seconds: 4 }), frame)) }).toEqual({
        frame,
        same: true,
      });
    }
  });

  it('is none where there is no footage', async () => {
    const footage = new StandInFootage();
    footage.add('dock', 1_000_000, { seconds: 4 });
    expect(await exactStills('ffmpeg', footage)('dock', 1_010_000)).toBeUndefined();
    expect(await exactStills('ffmpeg', footage)('gate', 1_000_000)).toBeUndefined();
  });
});
