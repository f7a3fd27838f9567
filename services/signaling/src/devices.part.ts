/** Devices, their keys and their queues. */
import type { Ground, Part, Queues } from './ground.ts';

export function createDevicesPart(_ground: Ground): { part: Part; queues: Queues } {
  const queues = {} as Queues;
  return { part: { name: 'devices', handlers: {}, stop: () => undefined }, queues };
}
