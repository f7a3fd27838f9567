import { describe, expect, it } from 'vitest';
import { endWord } from './call-end.ts';
import { asDialled } from './dialled.ts';
import { anEnd } from './testing/fake-agent.ts';

const out = { direction: 'out', wasAnswered: false } as const;
const inwards = { direction: 'in', wasAnswered: false } as const;

describe('how a call ended, in a word', () => {
  it('tells busy, away, forbidden and unknown numbers apart', () => {
    const words = [486, 480, 403, 404, 408, 603, 503, 488, 499].map((code) => endWord(anEnd({ code }), out));
    expect(words).toEqual([
      'busy',
      'unavailable',
      'refused',
      'not_found',
      'no_answer',
      'declined',
      'no_trunk',
      'media',
      'failed',
    ]);
  });

  it('sends to a phone when no relay is left', () => {
    expect(endWord(anEnd({ code: 503, nearestPhone: '205' }), out)).toBe('no_relay');
  });

  it('is a missed call only when nobody of the house took it', () => {
    expect(endWord(anEnd({ reason: 'Canceled' }), inwards)).toBe('missed');
    expect(endWord(anEnd({ cause: 200 }), inwards)).toBe('elsewhere');
    expect(endWord(anEnd({ by: 'us' }), inwards)).toBe('hangup');
  });

  it('says that the connection was lost, not that somebody hung up', () => {
    expect(endWord(anEnd({ by: 'line' }), { direction: 'out', wasAnswered: true })).toBe('network');
    expect(endWord(anEnd(), { direction: 'in', wasAnswered: true })).toBe('hangup');
    expect(endWord(anEnd({ by: 'line', reason: 'Connection Error' }), out)).toBe('network');
  });
});

describe('what is dialled', () => {
  it('is what was written without what makes it readable', () => {
    expect(asDialled(' +1 (555) 010-0123 ')).toBe('+15550100123');
    expect(asDialled('tel:201')).toBe('201');
    expect(asDialled('*911')).toBe('*911');
  });

  it('is nothing where that is no number', () => {
    for (const text of ['', 'Bert', '2o1', '201@elsewhere.example', '1'.repeat(40)])
      expect(asDialled(text)).toBeUndefined();
  });
});
