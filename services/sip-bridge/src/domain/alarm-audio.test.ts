import { describe, expect, it } from 'vitest';
import {
  alarmTone,
  encodeSample,
  readKey,
  readWav,
  resample,
  sampleRate,
  writeRtp,
  writeWav,
} from './alarm-audio.ts';

const tone = (hertz: number, rate: number, seconds = 0.5): Int16Array =>
  Int16Array.from({ length: rate * seconds }, (_, index) =>
    Math.round(10_000 * Math.sin((2 * Math.PI * hertz * index) / rate)),
  );
/** Root mean square, without the edges, where a filter has nothing to look at. */
const loudness = (samples: Int16Array): number => {
  const inner = samples.subarray(200, -200);
  return Math.sqrt(inner.reduce((sum, one) => sum + one * one, 0) / inner.length);
};
/** How much of one frequency is in it (Goertzel), as an amplitude. */
const amplitude = (samples: Int16Array, hertz: number, rate: number): number => {
  const inner = samples.subarray(200, -200);
  let [re, im] = [0, 0];
  inner.forEach((one, index) => {
    re += one * Math.cos((2 * Math.PI * hertz * index) / rate);
    im += one * Math.sin((2 * Math.PI * hertz * index) / rate);
  });
  return (2 * Math.hypot(re, im)) / inner.length;
};

describe('WAV', () => {
  it('comes out as it went in, also when the length was not known while it was written', () => {
    const file = writeWav({ rate: 22_050, samples: tone(440, 22_050) });
    expect(readWav(file)).toEqual({ rate: 22_050, samples: tone(440, 22_050) });
    file.writeUInt32LE(0x7fff_f000, 40);
    expect(readWav(file).samples).toHaveLength(11_025);
  });

  it('of another kind is refused in words', () => {
    expect(() => readWav(Buffer.from('<html>'))).toThrow('no WAV');
    const stereo = writeWav({ rate: 8_000, samples: tone(440, 8_000) });
    stereo.writeUInt16LE(2, 22);
    expect(() => readWav(stereo)).toThrow('mono');
    expect(() => readWav(writeWav({ rate: 8_000, samples: new Int16Array() }).subarray(0, 36))).toThrow(
      'no sound',
    );
  });
});

describe('another sample rate', () => {
  it('keeps the voice as loud as it was', () => {
    for (const hertz of [300, 1_000, 3_000]) {
      const { samples, rate } = resample({ rate: 22_050, samples: tone(hertz, 22_050) }, sampleRate);
      expect([rate, samples.length]).toEqual([8_000, 4_000]);
      expect(amplitude(samples, hertz, rate)).toBeGreaterThan(9_500);
    }
  });

  it('folds nothing back that it cannot carry', () => {
    const { samples } = resample({ rate: 22_050, samples: tone(5_500, 22_050) }, sampleRate);
    expect(loudness(samples)).toBeLessThan(100);
  });
});

describe('G.711', () => {
  // ITU-T G.711, tables 1a to 2b: what decoders make of each code.
  const muDecoded = (code: number): number => {
    const value = ~code & 0xff;
    const magnitude = ((((value & 0x0f) << 3) + 0x84) << ((value >> 4) & 7)) - 0x84;
    return value & 0x80 ? -magnitude : magnitude;
  };
  const aDecoded = (code: number): number => {
    const value = code ^ 0x55;
    const exponent = (value >> 4) & 7;
    const base = ((value & 0x0f) << 4) + 8;
    const magnitude = exponent === 0 ? base : (base + 0x100) << (exponent - 1);
    return value & 0x80 ? magnitude : -magnitude;
  };

  it('comes out as loud as it went in, within its steps', () => {
    for (let sample = -32_000; sample <= 32_000; sample += 37) {
      const step = Math.max(16, Math.abs(sample) / 16);
      expect(Math.abs(muDecoded(encodeSample(sample, 0)) - sample)).toBeLessThanOrEqual(step);
      expect(Math.abs(aDecoded(encodeSample(sample, 8)) - sample)).toBeLessThanOrEqual(step);
    }
  });

  it('is silence for silence', () => {
    expect(encodeSample(0, 0)).toBe(0xff);
    expect(encodeSample(0, 8)).toBe(0xd5);
    expect(encodeSample(-32_768, 0)).toBe(0x00);
    expect(encodeSample(32_767, 8)).toBe(0xaa);
  });
});

describe('keys in RTP', () => {
  const key = (payload: number[], type = 101): Buffer =>
    writeRtp({ type, isFirst: true, sequence: 7, timestamp: 160, source: 9 }, Uint8Array.from(payload));

  it('are read by their event, and told apart by their time', () => {
    expect(readKey(key([1, 0x0a, 0, 160]), 101)).toEqual({ digit: '1', timestamp: 160 });
    expect(readKey(key([11, 0x8a, 3, 32]), 101)).toEqual({ digit: '#', timestamp: 160 });
  });

  it('are nothing in sound, in what is too short, and in what is no key', () => {
    expect(readKey(key([1, 0x0a, 0, 160], 0), 101)).toBeUndefined();
    expect(readKey(key([1]), 101)).toBeUndefined();
    expect(readKey(key([16, 0, 0, 0]), 101)).toBeUndefined();
    const claimsMore = key([1, 0x0a, 0, 160]);
    claimsMore[0] = 0x9f;
    expect(readKey(claimsMore, 101)).toBeUndefined();
  });
});

it('has a tone for when nothing can be spoken', () => {
  expect(loudness(alarmTone())).toBeGreaterThan(2_000);
});
