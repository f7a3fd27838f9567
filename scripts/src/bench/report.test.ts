import { describe, expect, it } from 'vitest';
import type { BenchRow } from './bench-row.ts';
import { markdown } from './report.ts';

const row = (what: string): BenchRow => ({ what, ours: 1, unit: 'ms', better: 'less' });

describe('the page of figures', () => {
  it('keeps what a run did not measure, with when and where that was', () => {
    const all = [
      { name: 'rules', rows: [row('one rule')] },
      { name: 'kills', rows: [row('30 kills')] },
    ];
    const first = markdown(all, 'monday, a quiet machine', '');
    const second = markdown([{ name: 'kills', rows: [row('1,000 kills')] }], 'tuesday, another', first);
    expect(second).toMatch(/^# Figures\n[^]*## rules\n\nmonday, a quiet machine\n[^]*one rule/);
    expect(second).toMatch(/## kills\n\ntuesday, another\n[^]*1,000 kills/);
    expect(second).not.toContain('30 kills');
  });
});
