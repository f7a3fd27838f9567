import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const src = join(dirname(fileURLToPath(import.meta.url)), '..');
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).map((name) => join(src, name));

type Tree = { [key: string]: string | readonly string[] | Tree };
const flatten = (tree: Tree, prefix = ''): string[] =>
  Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' || Array.isArray(value)
      ? [prefix + key]
      : flatten(value as Tree, `${prefix}${key}.`),
  );
const textAt = (tree: Tree, path: string): string => {
  let node: unknown = tree;
  for (const key of path.split('.')) node = (node as Tree)[key];
  return Array.isArray(node) ? node.join('\n') : String(node);
};
const load = async (locale: string): Promise<Tree> => {
  const all: Tree = {};
  for (const file of files.filter((name) => name.endsWith(`messages.${locale}.ts`))) {
    const { messages } = (await import(file)) as { messages: Tree };
    for (const [key, value] of Object.entries(messages)) {
      if (key in all) throw new Error(`${file} uses the key "${key}" of another feature`);
      all[key] = value;
    }
  }
  return all;
};
const placeholders = (text: string): string[] =>
  [...text.matchAll(/\{(\w+)\}/g)].map((hit) => hit[1] ?? '').sort();

describe('the texts of the console', () => {
  it('are complete in German, with the same placeholders', async () => {
    const [english, german] = [await load('en'), await load('de')];
    expect(flatten(german).sort()).toEqual(flatten(english).sort());
    for (const key of flatten(english)) {
      const [en, de] = [textAt(english, key), textAt(german, key)];
      expect([key, [...new Set(placeholders(de))]]).toEqual([key, [...new Set(placeholders(en))]]);
    }
  });

  it('exist for every key that a page asks for by name', async () => {
    const known = new Set(flatten(await load('en')));
    const missing = files
      .filter((name) => /\.(vue|ts)$/.test(name) && !name.endsWith('.test.ts'))
      .flatMap((name) =>
        [...readFileSync(name, 'utf8').matchAll(/\bt\(\s*'([\w.]+)'/g)]
          .map((hit) => hit[1] ?? '')
          .filter((key) => !known.has(key))
          .map((key) => `${name}: ${key}`),
      );
    expect(missing).toEqual([]);
  });
});
