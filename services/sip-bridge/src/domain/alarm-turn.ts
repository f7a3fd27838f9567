/** Whose turn it is in an alarm call: one after another, round by round. */
import type { AlarmCallOrder } from '@siphera/contract';

export type Turn = { n: number; target: AlarmCallOrder['targets'][number]; isNewRound: boolean };

/** @param made attempts so far, of whatever outcome. Undefined: all have had their turns. */
export function turnAfter(
  made: number,
  { targets, rounds }: Pick<AlarmCallOrder, 'targets' | 'rounds'>,
): Turn | undefined {
  const target = made < targets.length * rounds ? targets[made % targets.length] : undefined;
  return target && { n: made, target, isNewRound: made > 0 && made % targets.length === 0 };
}
