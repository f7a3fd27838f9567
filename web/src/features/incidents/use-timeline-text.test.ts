import { describe, expect, it } from 'vitest';
import { remainder } from './use-timeline-text.ts';

describe('the words of a timeline entry', () => {
  it('keep the note that a guard typed behind the words of the box', () => {
    expect(remainder('Resolved: test. All well. Door shut.', 'Resolved: test')).toBe('All well. Door shut.');
    expect(remainder('Severity low → high: smoke seen', 'Severity low → high')).toBe('smoke seen');
  });

  it('are all of the box when nobody typed anything', () => {
    expect(remainder('Resolved: test', 'Resolved: test')).toBe('');
  });
});
