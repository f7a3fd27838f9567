import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../root.ts';
import { failureList, partFailure, stepFailures, tapFailures, vitestFailures } from './test-failures.ts';

const rule = '⎯'.repeat(24);
const file = (name: string, tests: unknown[], message = ''): unknown => ({
  name: join(root, name),
  status: 'failed',
  message,
  assertionResults: tests,
});
const test = (title: string, failure?: string): unknown => ({
  status: failure === undefined ? 'passed' : 'failed',
  ancestorTitles: ['a suite'],
  title,
  failureMessages: failure === undefined ? [] : [failure],
});
const report = (...testResults: unknown[]): string => JSON.stringify({ testResults });

describe('naming the failures of vitest', () => {
  it('takes the difference from the text', () => {
    const text = `\n FAIL   web  src/x.test.ts > a suite > breaks\n\u001b[31mError: no\u001b[39m\n- 1\n+ 2\n\n${rule}[1/1]⎯\n`;
    expect(
      vitestFailures(report(file('web/src/x.test.ts', [test('breaks', 'Error: no'), test('holds')])), text),
    ).toEqual([{ name: 'web/src/x.test.ts > a suite > breaks', message: 'Error: no\n- 1\n+ 2' }]);
  });

  it('gives tests that broke alike the message they share', () => {
    const text = ` FAIL  int a/x.test.ts > a suite > one\n FAIL  int a/x.test.ts > a suite > two\nError: boom\n\n${rule}[1/1]⎯\n`;
    expect(vitestFailures(report(file('a/x.test.ts', [test('one', 'E'), test('two', 'E')])), text)).toEqual([
      { name: 'a/x.test.ts > a suite > one', message: 'Error: boom' },
      { name: 'a/x.test.ts > a suite > two', message: 'Error: boom' },
    ]);
  });

  it('falls back to the report when the text broke off', () => {
    expect(vitestFailures(report(file('a/x.test.ts', [test('breaks', 'Error: no')])), 'RUN')).toEqual([
      { name: 'a/x.test.ts > a suite > breaks', message: 'Error: no' },
    ]);
    expect(vitestFailures(report(file('a/x.test.ts', [], 'Cannot find it')), 'RUN')).toEqual([
      { name: 'a/x.test.ts', message: 'Cannot find it' },
    ]);
  });

  it('names a file that could not be loaded, and a hook, once', () => {
    const text = ` FAIL  int a/x.test.ts [ a/x.test.ts ]\nError: gone\n\n${rule}[1/2]⎯\n\n FAIL  int b/y.test.ts > a suite\nError: hook\n\n${rule}[2/2]⎯\n`;
    expect(vitestFailures(report(file('a/x.test.ts', []), file('b/y.test.ts', [])), text)).toEqual([
      { name: 'a/x.test.ts', message: 'Error: gone' },
      { name: 'b/y.test.ts > a suite', message: 'Error: hook' },
    ]);
  });
});

describe('naming the failures of the other parts', () => {
  it('reads TAP with what is said of each test', () => {
    const tap =
      "1..3\nok 1 a\nnot ok 2 b is so\n# (in test file x, line 3)\n#   `false' failed\nok 3 c\n# of c\n";
    expect(tapFailures(tap)).toEqual([
      { name: 'b is so', message: "(in test file x, line 3)\n  `false' failed" },
    ]);
  });

  it('reads the steps of our own runs', () => {
    const output = '✓ a (1.0 s)\n✗ types (2.5 s)\n✗ eslint (3.0 s)\n\n── types ──\nx.ts: no\n\n── eslint ──\ny.ts: no\n\n1 passed, 2 failed\n'; // prettier-ignore
    expect(stepFailures(output).map(({ name }) => name)).toEqual(['types', 'eslint']);
    expect(stepFailures(output)[0]?.message).toBe('x.ts: no');
  });

  it('shows what a part said last, or what was thrown outside of its tests', () => {
    const long = Array.from({ length: 40 }, (_, index) => `line ${index}`).join('\n');
    expect(partFailure('build', { code: 2, output: long, seconds: 1 })).toMatchObject({
      name: 'build ended with code 2',
      message: expect.stringMatching(/^line 25\n[^]*line 39$/) as string,
    });
    const thrown = `before\n⎯⎯⎯ Unhandled Errors ⎯⎯⎯\nError: lost\n${long}`;
    expect(partFailure('int', { code: 1, output: thrown, seconds: 1 }).message).toMatch(
      /^⎯+ Unhandled.*\nError: lost\n/,
    );
  });
});

describe('the list at the end', () => {
  it('marks each name, indents a bounded message and leaves out what is not ours', () => {
    const message = [
      'Error: no',
      '',
      '    at node_modules/vitest/x.js',
      ...Array.from({ length: 30 }, () => 'more'),
    ].join('\n');
    const lines = failureList([
      { name: 'a > b', message },
      { name: 'c', message: '' },
    ]).split('\n');
    expect(lines.slice(0, 4)).toEqual(['== failed', '✗ a > b', '    Error: no', '    more']);
    expect(lines.indexOf('✗ c')).toBe(17);
    expect(failureList([])).toBe('');
  });
});
