/** The parts of the bridge, in the order in which they are made. Later parts are given what they need of earlier ones. */
import { createAlarmCallsPart } from './alarm-calls.part.ts';
import { createCallsPart } from './calls.part.ts';
import { createEmergencyPart } from './emergency.part.ts';
import type { Ground, Part } from './ground.ts';
import { createPlanPart } from './plan.part.ts';

/** Stopped in reverse order. */
export function createParts(ground: Ground): Part[] {
  const { part: plan, book } = createPlanPart(ground);
  const { part: calls, calls: phoneCalls } = createCallsPart(ground, book);
  const { part: alarmCalls, caller } = createAlarmCallsPart(ground, book);
  return [plan, calls, alarmCalls, createEmergencyPart(ground, { book, caller, phoneCalls })];
}
