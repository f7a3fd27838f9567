import { describe, expect, it } from 'vitest';
import { digitOfEvent, noDigits, pressDigit, type DigitVerdict, type DigitWay } from './digits.ts';
import { sideOf, visitAfter, visitSteps, type Visit } from './door-call.ts';

const second = 1_000;

describe('a visit', () => {
  const run = (...steps: [Parameters<typeof visitAfter>[1], number][]): number => {
    let visit: Visit | undefined;
    return steps.filter(([step, atS]) => {
      const after = visitAfter(visit, step, atS * second);
      visit = after.visit;
      return after.isMissed;
    }).length;
  };

  it('is missed once, however often the button is pressed within a minute of the last time', () => {
    expect(
      run(
        ['rings', 0],
        ['unanswered', 30],
        ['rings', 60],
        ['unanswered', 90],
        ['rings', 140],
        ['unanswered', 150],
      ),
    ).toBe(1);
  });
  it('is a new one after a minute', () => {
    expect(run(['rings', 0], ['unanswered', 30], ['rings', 91], ['unanswered', 100])).toBe(2);
  });
  it('is not missed when somebody answers, and can be missed when he leaves and rings again', () => {
    expect(run(['rings', 0], ['answered', 5])).toBe(0);
    expect(run(['rings', 0], ['answered', 5], ['rings', 40], ['unanswered', 70])).toBe(1);
  });

  const still = { rang: false, answeredMs: undefined, endedMs: undefined, outcome: undefined };
  const missed = { ...still, rang: true, endedMs: 9, outcome: 'missed' } as const;
  it('begins when it rings, and is over when the call is', () => {
    expect(visitSteps(undefined, still, true)).toEqual([]);
    expect(visitSteps(still, { ...still, rang: true }, true)).toEqual(['rings']);
    expect(visitSteps({ ...still, rang: true }, missed, true)).toEqual(['unanswered']);
    expect(visitSteps(missed, missed, true)).toEqual([]);
  });
  it('is told whole when only its end was heard, or nobody was there to ring', () => {
    expect(visitSteps(undefined, { ...missed, rang: false }, true)).toEqual(['rings', 'unanswered']);
    expect(visitSteps(undefined, { ...still, rang: true, answeredMs: 3 }, true)).toEqual([
      'rings',
      'answered',
    ]);
  });
  it('is none when the station dials what it may not', () => {
    const refused = { ...still, endedMs: 9, outcome: 'refused' } as const;
    expect(visitSteps(still, refused, false)).toEqual([]);
    expect(visitSteps(still, refused, true)).toEqual(['rings', 'unanswered']);
  });
});

describe('the side of a digit', () => {
  const call = {
    fromTag: 'door',
    toTag: 'guard',
    source: '10.0.0.9',
    toSource: '10.0.0.5',
    fromSecure: false,
    toSecure: false,
  };
  it('is that of tag and address together', () => {
    for (const via of ['rtp', 'info'] as const) {
      expect(sideOf(call, { via, tag: 'guard', address: '10.0.0.5' })).toBe('callee');
      expect(sideOf(call, { via, tag: 'door', address: '10.0.0.9' })).toBe('caller');
    }
  });
  it('is nobody’s when the door takes the tag of the guard, or a stranger sends to the port of either', () => {
    for (const via of ['rtp', 'info'] as const)
      for (const address of ['10.0.0.9', '10.0.0.66', undefined]) {
        expect(sideOf(call, { via, tag: 'guard', address })).toBeUndefined();
        expect(sideOf({ ...call, toSource: undefined }, { via, tag: 'guard', address })).toBeUndefined();
      }
    expect(sideOf(call, { via: 'info', tag: 'door', address: '10.0.0.5' })).toBeUndefined();
  });
  it('is that of the tag alone for encrypted sound, and for nothing else', () => {
    const browser = { ...call, toSecure: true };
    expect(sideOf(browser, { via: 'rtp', tag: 'guard', address: '10.0.0.77' })).toBe('callee');
    expect(sideOf(browser, { via: 'info', tag: 'guard', address: '10.0.0.77' })).toBeUndefined();
    expect(sideOf(browser, { via: 'rtp', tag: 'door', address: '10.0.0.77' })).toBeUndefined();
  });
  it('is not known without both tags, with a third one, or when both are the same', () => {
    for (const [known, tag] of [
      [{ ...call, toTag: undefined }, 'door'],
      [call, 'stranger'],
      [call, undefined],
      [{ ...call, toTag: 'door' }, 'door'],
    ] as const)
      expect(sideOf(known, { via: 'rtp', tag, address: '10.0.0.5' })).toBeUndefined();
  });
  it('is told by the relay when both are behind one address, and not by INFO but on one machine', () => {
    const shared = { ...call, source: '10.0.0.1', toSource: '10.0.0.1' };
    expect(sideOf(shared, { via: 'rtp', tag: 'guard', address: '10.0.0.1' })).toBe('callee');
    expect(sideOf(shared, { via: 'info', tag: 'guard', address: '10.0.0.1' })).toBeUndefined();
    const local = { ...call, source: '127.0.0.1', toSource: '127.0.0.1' };
    expect(sideOf(local, { via: 'info', tag: 'guard', address: '127.0.0.1' })).toBe('callee');
  });
});

describe('digits', () => {
  const press = (code: string, ...presses: [string, number?, DigitWay?][]): DigitVerdict[] => {
    let state = noDigits;
    return presses.map(([digit, atMs = 0, via = 'rtp']) => {
      const after = pressDigit(state, { digit, via, atMs }, code);
      state = after.state;
      return after.verdict;
    });
  };

  it('open when they are the code, one or more of them', () => {
    expect(press('9', ['9'])).toEqual(['open']);
    expect(press('1*2', ['1'], ['*'], ['2'])).toEqual(['more', 'more', 'open']);
    expect(press('12', ['3'], ['1'], ['1'], ['2'])).toEqual(['wrong', 'more', 'wrong', 'open']);
  });
  it('begin anew after a pause', () => {
    expect(press('12', ['1', 0], ['2', 6_000], ['1', 7_000], ['2', 8_000])).toEqual([
      'more',
      'wrong',
      'more',
      'open',
    ]);
  });
  it('count once when one press comes both ways', () => {
    expect(press('11', ['1', 0, 'rtp'], ['1', 100, 'info'], ['1', 600, 'rtp'], ['1', 700, 'info'])).toEqual([
      'more',
      'ignored',
      'open',
      'ignored',
    ]);
  });
  it('open nothing any more after five wrong ones', () => {
    const wrong = Array.from({ length: 5 }, (): [string] => ['3']);
    expect(press('9', ...wrong, ['9'])).toEqual(['wrong', 'wrong', 'wrong', 'wrong', 'shut', 'ignored']);
  });
  it('are named as RFC 4733 numbers them', () => {
    expect([0, 9, 10, 11, 15, 16, -1].map(digitOfEvent)).toEqual([
      '0',
      '9',
      '*',
      '#',
      'D',
      undefined,
      undefined,
    ]);
  });
});
