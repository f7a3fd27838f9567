/** Tones as proof of sound: a wave file with one, and how much of one is in a recording. */
import { readFile, writeFile } from 'node:fs/promises';

const rate = 8_000;

/** 16-bit mono wave of a sine, half as loud as can be. */
export async function writeTone(path: string, hertz: number, seconds: number): Promise<void> {
  const samples = rate * seconds;
  const data = Buffer.alloc(44 + samples * 2);
  data.write('RIFF', 0);
  data.writeUInt32LE(36 + samples * 2, 4);
  data.write('WAVEfmt ', 8);
  data.writeUInt32LE(16, 16);
  data.writeUInt16LE(1, 20);
  data.writeUInt16LE(1, 22);
  data.writeUInt32LE(rate, 24);
  data.writeUInt32LE(rate * 2, 28);
  data.writeUInt16LE(2, 32);
  data.writeUInt16LE(16, 34);
  data.write('data', 36);
  data.writeUInt32LE(samples * 2, 40);
  for (let at = 0; at < samples; at += 1)
    data.writeInt16LE(Math.round(16_000 * Math.sin((2 * Math.PI * hertz * at) / rate)), 44 + at * 2);
  await writeFile(path, data);
}

/**
 * Part of the energy of a wave file (16-bit mono at 8 kHz, its header may not be finished) that lies at this pitch: about 1 for a tone
 * alone, about 0 without it. Silence before it counts nothing.
 */
export async function toneShare(path: string, hertz: number): Promise<number> {
  const data = await readFile(path);
  const samples = new Int16Array(Math.max(0, Math.floor((data.length - 44) / 2)));
  for (let at = 0; at < samples.length; at += 1) samples[at] = data.readInt16LE(44 + at * 2);
  const loud = samples.findIndex((sample) => Math.abs(sample) > 500);
  if (loud < 0) return 0;
  const part = samples.slice(loud, loud + rate);
  if (part.length < rate / 4) return 0;
  return goertzel(part, hertz);
}

function goertzel(samples: Int16Array, hertz: number): number {
  const turn = 2 * Math.cos((2 * Math.PI * hertz) / rate);
  let [one, two, energy] = [0, 0, 0];
  for (const sample of samples) {
    [one, two] = [sample + turn * one - two, one];
    energy += sample * sample;
  }
  const power = one * one + two * two - turn * one * two;
  return energy === 0 ? 0 : (2 * power) / (samples.length * energy);
}
