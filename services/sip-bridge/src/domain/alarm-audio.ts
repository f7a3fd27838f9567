/** Sound of alarm calls as numbers: WAV, another sample rate, G.711, RTP and the keys in it. */
import { digitOfEvent } from './digits.ts';

export const sampleRate = 8_000;
/** 20 ms. */
export const frameSamples = 160;

export type Sound = { rate: number; samples: Int16Array };

/** RIFF with 16-bit PCM, one channel, as espeak-ng and we write it. @throws Error for anything else. */
export function readWav(file: Buffer): Sound {
  if (
    file.length < 12 ||
    file.toString('latin1', 0, 4) !== 'RIFF' ||
    file.toString('latin1', 8, 12) !== 'WAVE'
  )
    throw new Error('This is no WAV file');
  let rate = 0;
  for (let at = 12; at + 8 <= file.length;) {
    const name = file.toString('latin1', at, at + 4);
    const start = at + 8;
    // A program that writes into a pipe does not know the length: what is there counts.
    const end = Math.min(start + file.readUInt32LE(at + 4), file.length);
    if (name === 'fmt ' && end - start >= 16) {
      const [format, channels, bits] = [0, 2, 14].map((offset) => file.readUInt16LE(start + offset));
      if (format !== 1 || channels !== 1 || bits !== 16)
        throw new Error('The WAV file is not 16-bit mono PCM');
      rate = file.readUInt32LE(start + 4);
    }
    if (name === 'data' && rate > 0) return { rate, samples: samplesOf(file.subarray(start, end)) };
    at = end + ((end - start) % 2);
  }
  throw new Error('The WAV file has no sound');
}

function samplesOf(bytes: Buffer): Int16Array {
  const samples = new Int16Array(Math.floor(bytes.length / 2));
  for (let index = 0; index < samples.length; index += 1) samples[index] = bytes.readInt16LE(index * 2);
  return samples;
}

/** 8 kHz mono 16-bit. */
export function writeWav({ rate, samples }: Sound): Buffer {
  const file = Buffer.alloc(44 + samples.length * 2);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(36 + samples.length * 2, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(rate * 2, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(samples.length * 2, 40);
  samples.forEach((sample, index) => file.writeInt16LE(sample, 44 + index * 2));
  return file;
}

/** Zero crossings of the filter on each side: enough that no voice is heard mirrored below 4 kHz. */
const lobes = 8;

/** Another rate by a windowed sinc: what the new rate cannot carry is filtered out, not folded back. */
export function resample({ rate, samples }: Sound, to: number): Sound {
  if (rate === to) return { rate, samples };
  const ratio = rate / to;
  const cutoff = Math.min(1, to / rate) * 0.92;
  const reach = Math.ceil(lobes / cutoff);
  const out = new Int16Array(Math.floor(samples.length / ratio));
  for (let index = 0; index < out.length; index += 1) {
    const centre = index * ratio;
    const first = Math.floor(centre) - reach;
    let sum = 0;
    let weight = 0;
    for (let at = first; at <= first + 2 * reach + 1; at += 1) {
      const factor = sincAt(at - centre, cutoff, reach + 1);
      sum += factor * (samples[at] ?? 0);
      weight += factor;
    }
    out[index] = Math.max(-32_768, Math.min(32_767, Math.round(sum / weight)));
  }
  return { rate: to, samples: out };
}

function sincAt(distance: number, cutoff: number, reach: number): number {
  if (Math.abs(distance) >= reach) return 0;
  const x = Math.PI * distance * cutoff;
  const sinc = x === 0 ? 1 : Math.sin(x) / x;
  return sinc * (0.5 + 0.5 * Math.cos((Math.PI * distance) / reach));
}

/** One sample by ITU-T G.711: μ-law (payload type 0) or A-law (8). */
export const encodeSample = (sample: number, codec: 0 | 8): number =>
  codec === 0 ? muLaw(sample) : aLaw(sample);

function muLaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  const magnitude = Math.min(Math.abs(sample), 32_635) + 132;
  const exponent = Math.max(0, 31 - Math.clz32(magnitude) - 7);
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~(sign | (exponent << 4) | mantissa) & 0xff;
}

function aLaw(sample: number): number {
  const sign = sample < 0 ? 0 : 0x80;
  const magnitude = Math.min(sample < 0 ? -sample - 1 : sample, 32_635);
  const exponent = magnitude < 256 ? 0 : 31 - Math.clz32(magnitude) - 7;
  const mantissa = (magnitude >> (exponent === 0 ? 4 : exponent + 3)) & 0x0f;
  return (sign | (exponent << 4) | mantissa) ^ 0x55;
}

type RtpHead = { type: number; isFirst: boolean; sequence: number; timestamp: number; source: number };

/** RFC 3550 §5.1, without extensions. */
export function writeRtp(
  { type, isFirst, sequence, timestamp, source }: RtpHead,
  payload: Uint8Array,
): Buffer {
  const packet = Buffer.alloc(12 + payload.length);
  packet[0] = 0x80;
  packet[1] = (isFirst ? 0x80 : 0) | type;
  packet.writeUInt16BE(sequence & 0xffff, 2);
  packet.writeUInt32BE(timestamp >>> 0, 4);
  packet.writeUInt32BE(source >>> 0, 8);
  packet.set(payload, 12);
  return packet;
}

/** A key in an RTP packet (RFC 4733 §2.3): each press comes in several packets with one timestamp. */
export function readKey(packet: Buffer, type: number): { digit: string; timestamp: number } | undefined {
  if (packet.length < 16 || (packet[0] ?? 0) >> 6 !== 2 || ((packet[1] ?? 0) & 0x7f) !== type)
    return undefined;
  const hasExtension = ((packet[0] ?? 0) & 0x10) !== 0;
  let start = 12 + ((packet[0] ?? 0) & 0x0f) * 4;
  if (hasExtension && packet.length >= start + 4) start += 4 + packet.readUInt16BE(start + 2) * 4;
  const event = packet.length >= start + 4 ? packet[start] : undefined;
  const digit = event === undefined ? undefined : digitOfEvent(event);
  return digit === undefined ? undefined : { digit, timestamp: packet.readUInt32BE(4) };
}

/** Three short tones: what an alarm sounds like when it cannot be spoken. */
export function alarmTone(): Int16Array {
  const samples = new Int16Array(2 * sampleRate);
  const toneSamples = sampleRate / 4;
  for (let index = 0; index < 6 * toneSamples; index += 1) {
    const isOn = Math.floor(index / toneSamples) % 2 === 0;
    samples[index] = isOn ? Math.round(8_000 * Math.sin((2 * Math.PI * 950 * index) / sampleRate)) : 0;
  }
  return samples;
}
