import { describe, expect, it } from 'vitest';
import { readSummary } from './steps.ts';
import { tapCounts, vitestCounts } from './test-counts.ts';

const report = (testResults: unknown[], passed = 0, failed = 0): string =>
  JSON.stringify({ numPassedTests: passed, numFailedTests: failed, testResults });

describe('counting tests', () => {
  it('counts a test file that could not be loaded as one failure', () => {
    const broken = { status: 'failed', assertionResults: [] };
    expect(vitestCounts(report([broken], 7), 1)).toEqual({ passed: 7, failed: 1 });
  });

  it('does not count a file twice whose tests failed', () => {
    const file = { status: 'failed', assertionResults: [{ status: 'failed' }, { status: 'passed' }] };
    expect(vitestCounts(report([file], 1, 1), 1)).toEqual({ passed: 1, failed: 1 });
  });

  it('counts a tool that ended badly without a failed test', () => {
    expect(vitestCounts(report([], 3), 1)).toEqual({ passed: 3, failed: 1 });
    expect(tapCounts('1..2\nok 1 a\n', 1)).toEqual({ passed: 1, failed: 1 });
  });

  it('reads the lines of TAP and the summary of our own runs', () => {
    expect(tapCounts('1..3\nok 1 a\nnot ok 2 b\n# why\nok 3 c # skip\n', 1)).toEqual({
      passed: 2,
      failed: 1,
    });
    expect(readSummary('noise\n12 passed, 3 failed\n')).toEqual({ passed: 12, failed: 3 });
    expect(readSummary('12 passed, 3 failed\nthen it broke')).toBeUndefined();
  });
});
