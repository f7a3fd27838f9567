/** Chance comes into code through Random, so that tests can repeat it. */
import { randomBytes, randomUUIDv7 } from 'node:crypto';

export type Random = {
  /** A UUIDv7: sorts by the time it was made. */
  uuid(): string;
  bytes(length: number): Buffer;
  /** A number in [0, 1), for jitter only, never for secrets. */
  fraction(): number;
};

export const systemRandom: Random = {
  uuid: () => randomUUIDv7(),
  bytes: (length) => randomBytes(length),
  fraction: () => randomBytes(4).readUInt32BE() / 2 ** 32,
};

/** A trace id (W3C Trace Context §3.2.2.3: 16 bytes, hexadecimal). Made from a UUID, whose randomness comes in bulk. */
export const newTraceId = (random: Pick<Random, 'uuid'>): string => random.uuid().replaceAll('-', '');
