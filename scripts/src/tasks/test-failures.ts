/**
 * Says again, after everything else, which tests failed and why: of a long log often only the end is seen. What must stay
 * true: whatever counts as failed is named, if not by its test then by the part of the run that ended badly.
 */
import { isAbsolute, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { root } from '../root.ts';
import type { Outcome } from './steps.ts';

export type Failure = { name: string; message: string };

/** Enough for what was expected, what came and where; the whole of it stands further up. */
const messageLinesMax = 15;

/** vitest's JSON report names the tests. The message comes from its text where that has one, as only there is the difference. */
export function vitestFailures(report: string, output: string): Failure[] {
  const { testResults } = JSON.parse(report) as Report;
  const told = textBlocks(stripVTControlCharacters(output));
  const failures = testResults
    .filter(({ status }) => status === 'failed')
    .flatMap((file) => fileFailures(file, told));
  // A hook that failed after tests of its file did is in the text alone.
  return [...failures, ...told.filter(({ used }) => !used).map(({ name, message }) => ({ name, message }))];
}

/** TAP, as bats writes it: what is said of a test follows it as comments. */
export function tapFailures(output: string): Failure[] {
  return output
    .split(/^(?=(?:not )?ok )/m)
    .filter((test) => test.startsWith('not ok '))
    .map((test) => {
      const [first = '', ...rest] = test.split('\n');
      const said = rest.filter((line) => line.startsWith('#')).map((line) => line.replace(/^# ?/, ''));
      return { name: first.replace(/^not ok \d* ?/, ''), message: said.join('\n') };
    });
}

/** Our own steps: `✗ name (1.0 s)` when one ends, its output below `── name ──` when all have. */
export function stepFailures(output: string): Failure[] {
  return [...output.matchAll(/^✗ (.+) \([\d.]+ s\)$/gm)].map(([, name = '']) => {
    const below = output.split(`\n── ${name} ──\n`)[1] ?? '';
    return { name, message: (below.split(/\n── .+ ──\n/)[0] ?? '').trim() };
  });
}

/** A part that ended badly and named nothing: what it said last, or what vitest found thrown outside of any test. */
export function partFailure(name: string, { code, output }: Outcome): Failure {
  const text = stripVTControlCharacters(output).trimEnd();
  const astray = /^⎯+ Unhandled Errors ⎯+$/m.exec(text);
  const message = astray ? text.slice(astray.index) : text.split('\n').slice(-messageLinesMax).join('\n');
  return { name: `${name} ended with code ${code}`, message };
}

/** `✗ name`, below it the message, indented: a reader of the log finds each by its mark. Empty when nothing failed. */
export function failureList(failures: readonly Failure[]): string {
  if (failures.length === 0) return '';
  const each = failures.map(({ name, message }) => {
    const lines = stripVTControlCharacters(message)
      .split('\n')
      .filter((line) => line.trim() !== '' && !line.includes('node_modules/'))
      .slice(0, messageLinesMax);
    return [`✗ ${name.replaceAll('\n', ' ')}`, ...lines.map((line) => `    ${line}`)].join('\n');
  });
  return `== failed\n${each.join('\n')}\n`;
}

type Report = {
  testResults: {
    name: string;
    status: string;
    message?: string;
    assertionResults: {
      status: string;
      ancestorTitles: string[];
      title: string;
      failureMessages: string[];
    }[];
  }[];
};
type Told = Failure & { path: string; used: boolean };

function fileFailures(file: Report['testResults'][number], told: readonly Told[]): Failure[] {
  const path = isAbsolute(file.name) ? relative(root, file.name) : file.name;
  // The text gives paths from the folder of the project, which may be further in.
  const ofFile = told.filter((block) => path === block.path || path.endsWith(`/${block.path}`));
  const failed = file.assertionResults.filter(({ status }) => status === 'failed');
  const failures = failed.map(({ ancestorTitles, title, failureMessages }) => {
    const titles = [...ancestorTitles, title].join(' > ');
    const block = ofFile.find(({ name, path: shown }) => name === `${shown} > ${titles}`);
    if (block) block.used = true;
    return { name: `${path} > ${titles}`, message: block?.message ?? failureMessages.join('\n') };
  });
  return failed.length > 0 || ofFile.length > 0 ? failures : [{ name: path, message: file.message ?? '' }];
}

/** The blocks of vitest's text: one or more lines ` FAIL  project path > titles`, what they have in common, a rule. */
function textBlocks(text: string): Told[] {
  const found: Told[] = [];
  for (const match of text.matchAll(/(?:^ FAIL .*\n)+/gm)) {
    const message = (text.slice(match.index + match[0].length).split(/^(?:⎯{8}| FAIL )/m)[0] ?? '').trim();
    for (const line of match[0].trimEnd().split('\n')) {
      const parsed = /^ FAIL +(?:\S+ +)?(\S+\.test\.ts)(.*)$/.exec(line);
      if (!parsed) continue;
      const [, path = '', titles = ''] = parsed;
      // `path [ path ]` is the file as a whole.
      found.push({ name: titles.startsWith(' [') ? path : path + titles, message, path, used: false });
    }
  }
  return found;
}
