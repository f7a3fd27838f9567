/** Docs that name what is there: links, paths, commands and decisions. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './root.ts';
import { repositoryFiles } from './tasks/files.ts';
import { workspaces } from './tasks/workspaces.ts';

const files = await repositoryFiles();
const pages = files.filter((file) => file.endsWith('.md'));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const withoutCode = (content: string): string => content.replaceAll(/```[\s\S]*?```/g, '');

/** How GitHub makes an anchor of a heading. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-');
const anchors = (file: string): string[] =>
  [...withoutCode(read(file)).matchAll(/^#+ (.+)$/gm)].map((match) => anchor(match[1] ?? ''));

describe('docs', () => {
  it('link only to files and headings that exist', () => {
    const broken = pages.flatMap((page) =>
      [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)/g)]
        .map((match) => match[1] ?? '')
        .filter((target) => !/^(https?|mailto):/.test(target))
        .filter((target) => !resolves(page, target))
        .map((target) => `${page}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it('name only paths that exist', () => {
    const folders = 'services|compose|scripts|docs|web|desktop|firmware-agent|e2e';
    const path = new RegExp(`\`((?:${folders})/[\\w./@-]+)\``, 'g');
    const gone = pages.flatMap((page) =>
      [...read(page).matchAll(path)]
        .map((match) => (match[1] ?? '').replace(/[/.]$/, ''))
        .filter((name) => !/(^|\/)(dist|node_modules)(\/|$)/.test(name))
        .filter((name) => !existsSync(join(root, name)) && !existsSync(join(root, dirname(page), name)))
        .map((name) => `${page}: ${name}`),
    );
    expect(gone).toEqual([]);
  });

  it('name only npm scripts that exist', () => {
    const known = new Set(
      ['package.json', ...workspaces().map((folder) => `${folder}/package.json`)].flatMap(scriptNames),
    );
    const unknown = pages.flatMap((page) =>
      [...read(page).matchAll(/npm run ([\w:-]+)/g)]
        .map((match) => match[1] ?? '')
        .filter((name) => !known.has(name))
        .map((name) => `${page}: npm run ${name}`),
    );
    expect(unknown).toEqual([]);
  });
});

describe('npm scripts', () => {
  it('start files that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const missing = Object.entries(scripts).flatMap(([name, command]) =>
      [...command.matchAll(/(?:^|\s)(scripts\/[\w./-]+)/g)]
        .map((match) => match[1] ?? '')
        .filter((file) => !existsSync(join(root, file)))
        .map((file) => `${name}: ${file}`),
    );
    expect(missing).toEqual([]);
  });
});

describe('decisions', () => {
  const records = files.filter((file) => /^docs\/adr\/\d{4}-.*\.md$/.test(file));

  it('are numbered without a gap or a double', () => {
    const numbers = records.map((file) => Number(file.slice('docs/adr/'.length, 'docs/adr/'.length + 4)));
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });

  it('say what they cost, and stand in the list', () => {
    const list = read('docs/adr/README.md');
    const lacking = records.filter(
      (file) =>
        !/^## (Consequences|What it costs)/m.test(read(file)) ||
        !list.includes(file.slice('docs/adr/'.length)),
    );
    expect(lacking).toEqual([]);
  });
});

function scriptNames(manifest: string): string[] {
  const { scripts = {} } = JSON.parse(read(manifest)) as { scripts?: Record<string, string> };
  return Object.keys(scripts);
}

function resolves(page: string, target: string): boolean {
  const [path = '', heading] = target.split('#');
  const file =
    path === ''
      ? page
      : normalize(path.startsWith('/') ? path.slice(1) : join(dirname(page), decodeURIComponent(path)));
  if (!existsSync(join(root, file))) return false;
  return heading === undefined || !file.endsWith('.md') || anchors(file).includes(heading);
}
