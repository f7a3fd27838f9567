/** Dispatchable locations, what Kamailio sends of them, notices to the desk, and drills. The emergency call itself needs none of it running. */
import type { Caller } from './alarm-calls.part.ts';
import type { Ground, Part } from './ground.ts';
import type { PlanBook } from './plan.part.ts';

export function createEmergencyPart(_ground: Ground, _with: { book: PlanBook; caller: Caller }): Part {
  throw new Error('not yet');
}
