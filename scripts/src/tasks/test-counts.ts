/** Reads how many tests passed and failed out of what test tools write. */
import type { Counts } from './steps.ts';

/** vitest's JSON report. A file that could not be loaded has no tests, yet must count. */
export function vitestCounts(report: string, code: number): Counts {
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(report) as {
    numPassedTests: number;
    numFailedTests: number;
    testResults: { status: string; assertionResults: { status: string }[] }[];
  };
  const brokenFiles = testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length;
  return atLeastOne({ passed: numPassedTests, failed: numFailedTests + brokenFiles }, code);
}

/** TAP, as bats writes it. */
export function tapCounts(output: string, code: number): Counts {
  const lines = output.split('\n');
  const passed = lines.filter((line) => line.startsWith('ok ')).length;
  const failed = lines.filter((line) => line.startsWith('not ok ')).length;
  return atLeastOne({ passed, failed }, code);
}

/** A tool that ends badly without naming a failed test has failed all the same. */
const atLeastOne = (counts: Counts, code: number): Counts =>
  code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
