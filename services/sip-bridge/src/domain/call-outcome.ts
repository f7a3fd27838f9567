/** How a call ended, in a word for filters and in words for people. Codes: RFC 3261 §21. */
import type { Direction } from './call-fold.ts';

export type Outcome = 'answered' | 'missed' | 'busy' | 'refused' | 'failed' | 'cancelled';
type Ending = {
  direction: Direction;
  rang: boolean;
  isAnswered: boolean;
  state: string;
  code?: number | undefined;
  reason?: string | undefined;
};
type Ended = { outcome: Outcome; reason: string | undefined };

/** Calls that somebody in the house could have taken: unanswered they were missed. */
const toTheHouse: ReadonlySet<Direction> = new Set<Direction>(['internal', 'inbound', 'alarm']);

export function outcomeOf(ending: Ending): Ended {
  if (ending.isAnswered)
    return {
      outcome: 'answered',
      reason: ending.state === 'lost' ? 'Its end was not heard; it is over.' : undefined,
    };
  if (ending.state === 'lost')
    return { outcome: 'failed', reason: 'How it ended was not heard; it is over.' };
  if (ending.state === 'refused')
    return { outcome: 'refused', reason: `Not allowed or not possible: ${words(ending)}.` };
  return byCode(ending);
}

function byCode(ending: Ending): Ended {
  const { code = 487, rang, direction } = ending;
  const isOurs = toTheHouse.has(direction);
  switch (code) {
    case 486:
    case 600:
      return { outcome: 'busy', reason: 'The line was busy.' };
    case 403:
    case 603:
    case 607:
    case 608:
      return { outcome: 'refused', reason: 'It was declined.' };
    case 487:
      return isOurs && rang
        ? { outcome: 'missed', reason: 'The caller hung up before anybody answered.' }
        : { outcome: 'cancelled', reason: 'The caller hung up before an answer.' };
    case 408:
    case 480: {
      const reason = rang
        ? 'Nobody answered.'
        : isOurs
          ? 'No phone of it was there.'
          : 'The other side did not answer.';
      return { outcome: isOurs ? 'missed' : 'failed', reason };
    }
    case 404:
    case 484:
    case 604:
      return { outcome: 'failed', reason: 'There is no such number.' };
    case 488:
    case 606:
      return { outcome: 'failed', reason: 'The other side cannot take this kind of call.' };
    default:
      return { outcome: 'failed', reason: `It failed on the way: ${words(ending)}.` };
  }
}

/** The reason as it was given, fit to be read, with its code. */
function words({ reason, code }: Ending): string {
  const given = (reason ?? '')
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, 120);
  return (
    [given, code === undefined ? '' : `(${code})`].filter((part) => part !== '').join(' ') ||
    'no reason given'
  );
}
