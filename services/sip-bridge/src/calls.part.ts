/** What Kamailio reports about calls: the board, the history, digits, door stations and visitors that were missed. */
import type { Ground, Part } from './ground.ts';
import type { PlanBook } from './plan.part.ts';

export function createCallsPart(_ground: Ground, _book: PlanBook): { part: Part } {
  throw new Error('not yet');
}
