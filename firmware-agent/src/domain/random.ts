/** Chance comes in through Random, so that tests can repeat it. */
import { randomBytes, randomUUIDv7 } from 'node:crypto';

export type Random = {
  /** A UUIDv7: sorts by the time it was made. */
  uuid(): string;
  hex(bytes: number): string;
  /** A number in [0, 1), for jitter only, never for secrets. */
  fraction(): number;
};

export const systemRandom: Random = {
  uuid: () => randomUUIDv7(),
  hex: (bytes) => randomBytes(bytes).toString('hex'),
  fraction: () => randomBytes(4).readUInt32BE() / 2 ** 32,
};
