/** Renders the product's own daemon templates, `{{NAME}}` for each value, as the installer does. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryRoot } from './repository.ts';

/** @param path below `compose/`. Throws when the template asks for a value that is not given. */
export async function renderTemplate(
  path: string,
  values: Readonly<Record<string, string>>,
): Promise<string> {
  const text = await readFile(join(repositoryRoot, 'compose', path), 'utf8');
  return text.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${path} asks for ${name}, which the test kit does not give`);
    return value;
  });
}
