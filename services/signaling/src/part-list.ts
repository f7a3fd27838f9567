/** The parts of talk, in the order in which they are made. Later parts are given what they need of earlier ones. */
import { createDevicesPart } from './devices.part.ts';
import type { Ground, Part } from './ground.ts';
import { createKeepPart } from './keep.part.ts';
import { createPresencePart } from './presence.part.ts';
import { createPushPart } from './push.part.ts';
import { createRoomsPart } from './rooms.part.ts';
import { createTurnPart } from './turn.part.ts';

/** Stopped in reverse order. */
export function createParts(ground: Ground): Part[] {
  const { part: devices, queues } = createDevicesPart(ground);
  return [
    devices,
    createRoomsPart(ground, queues),
    createKeepPart(ground, queues),
    createPresencePart(ground, queues),
    createPushPart(ground, queues),
    createTurnPart(ground),
  ];
}
