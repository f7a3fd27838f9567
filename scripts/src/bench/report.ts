/** The figures as a table on the terminal and as docs/reference/figures.md. */
import { readFileSync } from 'node:fs';
import { arch, cpus, loadavg, release, totalmem } from 'node:os';
import { isReached, ratioOf, type BenchRow } from './bench-row.ts';

type Column = { head: string; right: boolean; text: (row: BenchRow) => string };

const columns: readonly Column[] = [
  { head: 'what', right: false, text: (row) => row.what },
  { head: 'ours', right: true, text: (row) => withUnit(row.ours, row.unit) },
  { head: 'peer', right: true, text: (row) => (row.peer === undefined ? '' : withUnit(row.peer, row.unit)) },
  {
    head: 'times better',
    right: true,
    text: (row) => {
      const ratio = ratioOf(row);
      return ratio === undefined ? '' : `${plain(ratio)}×`;
    },
  },
  { head: 'target', right: true, text: targetText },
  { head: 'reached', right: false, text: reachedText },
  { head: 'peer is', right: false, text: (row) => row.peerName ?? '' },
];

/** For a terminal. */
export function table(rows: readonly BenchRow[]): string {
  const widths = columns.map(({ head, text }) =>
    Math.max(head.length, ...rows.map((row) => text(row).length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, n) => (columns[n]?.right ? cell.padStart(widths[n] ?? 0) : cell.padEnd(widths[n] ?? 0)))
      .join('  ')
      .trimEnd();
  return [columns.map(({ head }) => head), ...rows.map((row) => columns.map(({ text }) => text(row)))]
    .map(line)
    .join('\n');
}

/**
 * The page of figures. It is generated, so that no figure stands in the docs that nobody measured. What this run did not
 * measure stays as it was `before`: each section says when and on what it was measured.
 */
export function markdown(
  results: ReadonlyArray<{ name: string; rows: readonly BenchRow[] }>,
  machine: string,
  before: string,
): string {
  const sections = sectionsOf(before);
  for (const { name, rows } of results)
    sections.set(name, [`## ${name}`, '', machine, '', markdownTable(rows)].join('\n'));
  return [
    '# Figures',
    '',
    'Written by `npm run bench -- --write`; do not edit. Ours and the peer were measured in the same run on the same machine,',
    'which also carried the load itself: compare the two, not the absolute numbers with those of another machine.',
    '',
    [...sections.values()].join('\n\n'),
    '',
  ].join('\n');
}

function markdownTable(rows: readonly BenchRow[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    row(columns.map(({ head }) => head)),
    row(columns.map(({ right }) => (right ? '---:' : '---'))),
    ...rows.map((one) => row(columns.map(({ text }) => text(one)))),
  ].join('\n');
}

/** By name, as they stand on the page. */
function sectionsOf(page: string): Map<string, string> {
  const found = page.split(/^(?=## )/m).filter((part) => part.startsWith('## '));
  return new Map(found.map((part) => [/^## (.+)$/m.exec(part)?.[1] ?? '', part.trim()]));
}

/** One line: when, on what, and how busy that was with other things. */
export function describeMachine(): string {
  const load = loadavg().map((one) => one.toFixed(1));
  const name = /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  return [
    new Date().toISOString().slice(0, 16).replace('T', ' ') + ' UTC',
    `${cpus().length} cores ${cpus()[0]?.model.trim() ?? ''} (${arch()})`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `${name}, Linux ${release()}, Node ${process.versions.node}`,
    `load average ${load.join(' ')}`,
  ].join(' · ');
}

function targetText({ target, better, unit }: BenchRow): string {
  if (!target) return '';
  if ('ratio' in target) return `≥ ${plain(target.ratio)}×`;
  return `${better === 'less' ? '≤' : '≥'} ${withUnit(target.ours, unit)}`;
}

function reachedText(row: BenchRow): string {
  const reached = isReached(row);
  return reached === undefined ? '' : reached ? 'yes' : 'NO';
}

const withUnit = (value: number, unit: string): string => `${plain(value)} ${unit}`.trimEnd();

/** Three digits that count, thousands apart. */
function plain(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return value.toLocaleString(
    'en',
    value >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 },
  );
}
