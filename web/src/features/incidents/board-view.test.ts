import { describe, expect, it } from 'vitest';
import { emptyFilter, hasFilter, withBelow } from './board-filter.ts';
import { boardSections, fitsFilter, neighbour, type BoardFilter, type BoardRow } from './board-view.ts';

const row = (over: Partial<BoardRow>): BoardRow => ({
  id: 'id',
  number: 1,
  title: 'Door forced',
  severity: 'high',
  state: 'new',
  area_id: 'dock',
  area_name: 'Loading dock',
  device_name: 'Dock door',
  opened_at: '2026-11-22T10:00:00.000Z',
  assignee: null,
  acknowledged_by: null,
  ...over,
});
const all: BoardFilter = { severities: [], areaIds: new Set(), text: '' };

describe('the board', () => {
  it('puts new ones first, the worst on top, then who waits longest', () => {
    const rows = [
      row({ id: 'taken', state: 'acknowledged', severity: 'critical' }),
      row({ id: 'young', severity: 'high', opened_at: '2026-11-22T10:05:00.000Z' }),
      row({ id: 'old', severity: 'high', opened_at: '2026-11-22T10:01:00.000Z' }),
      row({ id: 'worst', severity: 'critical', opened_at: '2026-11-22T10:09:00.000Z' }),
    ];
    const sections = boardSections(rows, all);
    expect(sections.map((section) => [section.key, section.rows.map((one) => one.id)])).toEqual([
      ['new', ['worst', 'old', 'young']],
      ['progress', ['taken']],
    ]);
  });

  it('leaves out what is resolved or closed', () => {
    expect(boardSections([row({ state: 'resolved' }), row({ state: 'closed' })], all)).toEqual([]);
  });

  it('filters by severity, area with the areas below, and words in any order', () => {
    const areas = [
      { id: 'ground', parent_id: null },
      { id: 'dock', parent_id: 'ground' },
      { id: 'ramp', parent_id: 'dock' },
    ];
    expect([...withBelow('ground', areas)]).toEqual(['ground', 'dock', 'ramp']);
    expect(fitsFilter(row({}), { ...all, areaIds: withBelow('ground', areas) })).toBe(true);
    expect(fitsFilter(row({ area_id: 'roof' }), { ...all, areaIds: withBelow('ground', areas) })).toBe(false);
    expect(fitsFilter(row({}), { ...all, severities: ['low'] })).toBe(false);
    expect(fitsFilter(row({ number: 1042 }), { ...all, text: 'dock forced' })).toBe(true);
    expect(fitsFilter(row({ number: 1042 }), { ...all, text: '#1042' })).toBe(true);
    expect(fitsFilter(row({}), { ...all, text: 'roof' })).toBe(false);
  });

  it('shows as mine what is assigned to me, or what I took and nobody else has', () => {
    const me = { id: 'me', name: 'Mara' };
    const other = { id: 'other', name: 'Jonas' };
    const mine = { ...all, mineOf: 'me' };
    expect(fitsFilter(row({ acknowledged_by: me }), mine)).toBe(true);
    expect(fitsFilter(row({ acknowledged_by: other, assignee: me }), mine)).toBe(true);
    expect(fitsFilter(row({ acknowledged_by: me, assignee: other }), mine)).toBe(false);
  });

  it('moves the choice by one and stops at the ends', () => {
    const ids = ['a', 'b', 'c'];
    expect(neighbour(ids, undefined, 1)).toBe('a');
    expect(neighbour(ids, undefined, -1)).toBe('c');
    expect(neighbour(ids, 'a', 1)).toBe('b');
    expect(neighbour(ids, 'c', 1)).toBe('c');
    expect(neighbour(ids, 'gone', 1)).toBe('a');
    expect(neighbour([], undefined, 1)).toBeUndefined();
  });

  it('does not hang on areas that form a loop', () => {
    const loop = [
      { id: 'a', parent_id: 'b' },
      { id: 'b', parent_id: 'a' },
    ];
    expect([...withBelow('a', loop)]).toEqual(['a', 'b']);
  });

  it('knows whether anything is filtered', () => {
    expect(hasFilter(emptyFilter())).toBe(false);
    expect(hasFilter({ ...emptyFilter(), text: '  ' })).toBe(false);
    expect(hasFilter({ ...emptyFilter(), severities: ['low'] })).toBe(true);
  });
});
