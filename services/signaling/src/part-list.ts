/** The parts of talk, in the order in which they are made. Later parts are given what they need of earlier ones. */
import { createDevicesPart } from './devices.part.ts';
import type { Ground, Part } from './ground.ts';

/** Stopped in reverse order. */
export function createParts(ground: Ground): Part[] {
  const devices = createDevicesPart(ground);
  return [devices.part];
}
