/** The pure parts of a relay: command line, words, patience, the last pictures. */
import { describe, expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';
import { GopBuffer } from './gop-buffer.ts';
import { holdsPicture } from './key-picture.ts';
import type { Fragment } from './media.ts';
import { InputReader, isRightFor, relayArguments, rtpFeed, type StreamCodecs } from './relay-command.ts';
import { problemOf, secretsOf, withoutSecrets } from './relay-problem.ts';

const ports = { video: 21_000, audio: 21_002 };
const args = (codecs: StreamCodecs): string =>
  relayArguments({ url: 'rtsp://10.0.0.9/main', ports, codecs, analyseMs: 2_000 }).join(' ');

describe('the command line', () => {
  it('copies the picture, never encodes it', () => {
    for (const video of ['h264', 'h265', 'other', undefined] as const) {
      const line = args({ video, audio: 'pcmu' });
      expect(line).toContain('-c:v copy');
      expect(line).not.toMatch(/libx26|-c:v (?!copy)/);
    }
  });

  it('keeps AAC, makes AAC of what MP4 cannot hold, and sends G.711 on as it is', () => {
    expect(args({ video: 'h264', audio: 'aac' })).toContain('-c:a copy');
    const g711 = args({ video: 'h264', audio: 'pcmu' });
    expect(g711).toContain('-c:a aac');
    expect(g711).toContain('-c:a copy -vn -f rtp rtp://127.0.0.1:21002');
    expect(args({ video: 'h264', audio: 'none' })).not.toContain('0:a:0');
  });

  it('tags H.265 so that browsers take it, and brings parameter sets along in RTP', () => {
    expect(args({ video: 'h265', audio: 'none' })).toContain('-tag:v hvc1');
    expect(args({ video: 'h264', audio: 'none' })).toContain('dump_extra=freq=keyframe');
    expect(rtpFeed({ video: 'other', audio: 'pcmu' }, ports)).toBeUndefined();
  });
});

describe('what ffmpeg says', () => {
  const say = (lines: readonly string[]): StreamCodecs | undefined => {
    const reader = new InputReader();
    return lines.map((line) => reader.line(line)).find((found) => found !== undefined);
  };

  it('tells the codecs of a stream, whatever the camera said before', () => {
    const found = say([
      "Input #0, rtsp, from 'rtsp://127.0.0.1:8554/a':",
      '  Stream #0:0: Video: hevc (Main), yuv420p(tv), 640x360, 25 fps, 25 tbr, 90k tbn',
      '  Stream #0:1: Audio: pcm_mulaw, 8000 Hz, mono, s16, 64 kb/s',
      'Stream mapping:',
    ]);
    expect(found).toEqual({ video: 'h265', audio: 'pcmu' });
    expect(isRightFor({ video: 'h264', audio: 'pcmu' }, found!)).toBe(false);
    expect(isRightFor({ video: 'h265', audio: 'pcmu' }, found!)).toBe(true);
  });

  it('becomes a sentence with what to do', () => {
    const text = (line: string): string => problemOf([line]).text;
    expect(problemOf(['method DESCRIBE failed: 401 Unauthorized'])).toMatchObject({ kind: 'unauthorised' });
    expect(text('method DESCRIBE failed: 404 Not Found')).toContain('no stream at this address');
    expect(text('Connection to tcp://10.0.0.9:554 failed: Connection refused')).toContain(
      'refuses connections',
    );
    expect(text('EHOSTUNREACH')).toContain('no way to the camera');
    expect(text('ETIMEDOUT')).toContain('does not answer');
    expect(text('something new')).toContain('connected again by itself');
  });

  it('loses its credentials before anybody reads it', () => {
    const url = 'rtsp://ad%3Amin:p%40ss@10.0.0.9/main';
    expect(secretsOf(url)).toEqual(['p%40ss', 'p@ss']);
    const line = withoutSecrets(`${url}: Invalid data, tried p@ss`, secretsOf(url));
    expect(line).toBe('rtsp://10.0.0.9/main: Invalid data, tried …');
  });
});

describe('patience', () => {
  it('is short at first, so that a rebooted camera is back in ten seconds, and long with a wrong password', () => {
    expect(backoffMs('unreachable', 1, 0.5)).toBe(500);
    // With three seconds that a try may take.
    for (let failures = 1; failures < 100; failures += 1)
      expect(backoffMs('unreachable', failures, 0.999) + 3_000).toBeLessThan(10_000);
    expect(backoffMs('unauthorised', 9, 0.5)).toBe(60_000);
  });
});

describe('the last pictures', () => {
  const fragment = (key: boolean, bytes = 10): Fragment => ({
    bytes: Buffer.alloc(bytes),
    key,
    startMs: 0,
    durationMs: 500,
    decodeTime: 0,
  });

  it('begin with the last key frame and stay below the bound', () => {
    const gop = new GopBuffer(35);
    gop.add(fragment(false));
    expect(gop.fragments()).toHaveLength(0);
    gop.add(fragment(true));
    gop.add(fragment(false));
    expect(gop.fragments()).toHaveLength(2);
    gop.add(fragment(false, 100));
    expect(gop.fragments()).toHaveLength(0);
    gop.add(fragment(false));
    expect(gop.fragments()).toHaveLength(0);
    gop.add(fragment(true));
    expect(gop.fragments()).toHaveLength(1);
  });

  it('are no key frame when only parameter sets are in it', () => {
    const unit = (head: number): Buffer => Buffer.from([0, 0, 0, 2, head, 0]);
    const sets = Buffer.concat([unit(0x67), unit(0x68)]);
    expect(holdsPicture(sets, 0, sets.length, 'h264')).toBe(false);
    const whole = Buffer.concat([sets, unit(0x65)]);
    expect(holdsPicture(whole, 0, whole.length, 'h264')).toBe(true);
    expect(holdsPicture(unit(0x26), 0, 6, 'h265')).toBe(true);
    expect(holdsPicture(unit(0x40), 0, 6, 'h265')).toBe(false);
  });
});
