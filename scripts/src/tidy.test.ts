/** The house style where no other tool looks: names, sizes, pins, and what must never be in the tree. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from './root.ts';
import { repositoryFiles } from './tasks/files.ts';
import { workspaces } from './tasks/workspaces.ts';

const files = await repositoryFiles();
const binary = /\.(png|jpe?g|webp|ico|woff2?|mp3|ogg|wav|avi|gz|pdf|icns)$/;
const text = new Map(
  files.filter((file) => !binary.test(file)).map((file) => [file, readFileSync(join(root, file), 'utf8')]),
);
/** Files whose text holds a match, with the line, except those named. */
const holding = (pattern: RegExp, except: RegExp = /^$/): string[] =>
  [...text]
    .filter(([file]) => !except.test(file))
    .flatMap(([file, content]) =>
      content
        .split('\n')
        .flatMap((line, index) =>
          pattern.test(line) ? [`${file}:${index + 1} ${line.trim().slice(0, 120)}`] : [],
        ),
    );
/** This file spells out what it forbids. */
const self = /^scripts\/src\/tidy|^package-lock\.json$/;
const manifests = ['package.json', ...workspaces().map((folder) => `${folder}/package.json`)];

describe('the tree', () => {
  it('holds no key material', () => {
    expect(holding(/BEGIN [A-Z ]*PRIVATE KEY-----(\\n)?[A-Za-z0-9+/]{20}/)).toEqual([]);
    expect(holding(/^-----BEGIN [A-Z ]*PRIVATE KEY-----$/)).toEqual([]);
    expect(files.filter((file) => /\.(key|p12|pfx|jks)$/.test(file))).toEqual([]);
    expect(holding(/\beyJ[\w-]{20,}\.eyJ[\w-]{20,}\.[\w-]{20,}/)).toEqual([]);
  });

  it('names no machine it was written on, and no registry', () => {
    expect(holding(/(^|[\s"'`=:(])\/(work\/(main|shared)|root|tmp\/brief)\//, self)).toEqual([]);
    expect(holding(/https?:\/\/[^\s"']*(artifactory|nexus|verdaccio|mirror)/i, self)).toEqual([]);
    expect(text.get('package-lock.json')).not.toMatch(/"resolved": "https?:/);
    expect(text.get('.npmrc')).not.toMatch(/registry|_auth/);
  });

  it('has nothing left to do in a comment', () => {
    expect(holding(/\b(TODO|FIXME|XXX|HACK)\b/, self)).toEqual([]);
  });

  it('keeps shell, SQL and style files to a size one can read', () => {
    const long = [...text]
      .filter(([file]) => /\.(sh|bash|bats|sql|css)$|^install\.sh$/.test(file))
      .filter(([, content]) => content.split('\n').length > 401);
    expect(long.map(([file]) => file)).toEqual([]);
  });

  it('names files in kebab-case, components in PascalCase and migrations by their time', () => {
    const plain = /^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;
    const allowed =
      /^(README|CHANGELOG|CONTRIBUTING|SECURITY|AGENTS)\.md$|^LICENSE$|^NOTICE$|^Dockerfile$|^[A-Z][A-Za-z0-9]*\.(vue|test\.ts)$|^\d{8}T\d{4}_[a-z0-9_]+\.sql$/;
    const odd = files.filter((file) => {
      const name = file.split('/').at(-1) ?? '';
      return !plain.test(name) && !allowed.test(name);
    });
    expect(odd).toEqual([]);
    // Tables of our services come by migrations alone; those of a daemon lie beside its start script.
    const ours = files.filter((file) => file.endsWith('.sql') && !file.startsWith('compose/'));
    expect(ours.filter((file) => !/\/migrations\/\d{8}T\d{4}_[a-z0-9_]+\.sql$/.test(file))).toEqual([]);
  });

  it('has one file of instructions for assistants at most', () => {
    expect(
      files.filter((file) =>
        /(^|\/)(CLAUDE|GEMINI|COPILOT|llms)\.(md|txt)$|\.cursorrules$|\.aiexclude$/i.test(file),
      ),
    ).toEqual([]);
    expect(files.filter((file) => file.endsWith('AGENTS.md')).length).toBeLessThanOrEqual(1);
  });

  it('runs what starts with a shebang', () => {
    const scripts = [...text].filter(
      ([file, content]) => content.startsWith('#!') && /\.sh$|^install\.sh$|^\.ci\//.test(file),
    );
    const asleep = scripts.filter(([file]) => (statSync(join(root, file)).mode & 0o111) === 0);
    expect(asleep.map(([file]) => file).filter((file) => !sourced(file))).toEqual([]);
  });
});

/** Steps that install.sh and the tests read in, and never start. */
const sourced = (file: string): boolean =>
  file.startsWith('compose/install/') || /^compose\/node\//.test(file);

describe('packages', () => {
  it('are pinned exactly', () => {
    const loose = manifests.flatMap((file) => {
      const manifest = JSON.parse(text.get(file) ?? '{}') as Record<
        string,
        Record<string, string> | undefined
      >;
      return ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) =>
        Object.entries(manifest[kind] ?? {})
          .filter(
            ([name, version]) =>
              !(name.startsWith('@siphera/') ? version === '*' : /^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)),
          )
          .map(([name, version]) => `${file}: ${name} ${version}`),
      );
    });
    expect(loose).toEqual([]);
  });

  it('have one version each across the workspaces', () => {
    const versions = new Map<string, Set<string>>();
    for (const file of manifests) {
      const manifest = JSON.parse(text.get(file) ?? '{}') as Record<
        string,
        Record<string, string> | undefined
      >;
      for (const kind of ['dependencies', 'devDependencies']) {
        for (const [name, version] of Object.entries(manifest[kind] ?? {})) {
          versions.set(name, (versions.get(name) ?? new Set()).add(version));
        }
      }
    }
    expect(
      [...versions].filter(([, set]) => set.size > 1).map(([name, set]) => `${name}: ${[...set].join(', ')}`),
    ).toEqual([]);
  });

  it('are private, ES modules, and have a README and a tsconfig of their own', () => {
    const folders = workspaces();
    expect(folders.filter((folder) => !existsSync(join(root, folder, 'README.md')))).toEqual([]);
    expect(folders.filter((folder) => !existsSync(join(root, folder, 'tsconfig.json')))).toEqual([]);
    const odd = manifests.filter((file) => {
      const manifest = JSON.parse(text.get(file) ?? '{}') as { private?: boolean; type?: string };
      return manifest.private !== true || manifest.type !== 'module';
    });
    expect(odd).toEqual([]);
  });

  it('run no install scripts unless approved', () => {
    expect(text.get('.npmrc')).toContain('ignore-scripts=true');
  });
});
