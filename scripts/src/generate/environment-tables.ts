/**
 * The environment tables in the services' READMEs, from the schema that each service's `config.ts` exports. A README carries the table between
 * two comments; one that lacks them gets a section at its end.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { root } from '../root.ts';
import { generatedNote, table } from './markdown.ts';

const services = ['core', 'panel', 'signaling', 'camera', 'sip-bridge'];
const start = '<!-- environment:start -->';
const end = '<!-- environment:end -->';

export async function environmentTables(): Promise<{ path: string; content: string }[]> {
  const files = await Promise.all(services.map(environmentTable));
  return files.filter((file) => file !== undefined);
}

async function environmentTable(service: string): Promise<{ path: string; content: string } | undefined> {
  const path = `services/${service}/README.md`;
  const configFile = join(root, 'services', service, 'src', 'config.ts');
  if (!existsSync(configFile) || !existsSync(join(root, path))) return undefined;
  const module = (await import(configFile)) as Record<string, unknown>;
  const schema = Object.values(module).find((value) => value instanceof z.ZodObject);
  if (!schema) throw new Error(`services/${service}/src/config.ts exports no schema of its environment`);
  const readme = await readFile(join(root, path), 'utf8');
  return { path, content: placeTable(readme, describe(schema)) };
}

/** The README with its table replaced, or added. */
export function placeTable(readme: string, text: string): string {
  const block = `${start}\n\n${generatedNote}\n\n${text}\n\n${end}`;
  const from = readme.indexOf(start);
  const to = readme.indexOf(end);
  if (from >= 0 && to > from) return readme.slice(0, from) + block + readme.slice(to + end.length);
  return `${readme.trimEnd()}\n\n## Environment\n\n${block}\n`;
}

/** One row a variable: name, whether it must be set, what it is. */
export function describe(schema: z.ZodObject): string {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const rows = Object.entries(json.properties ?? {}).map(([name, value]) => {
    const field = value as { default?: unknown; description?: string; enum?: string[] };
    const required = (json.required ?? []).includes(name);
    const choice = field.enum ? `One of ${field.enum.join(', ')}` : '';
    return [
      `\`${name}\``,
      field.default === undefined
        ? required
          ? '**required**'
          : 'unset'
        : `\`${typeof field.default === 'string' ? field.default : JSON.stringify(field.default)}\``,
      [field.description, choice].filter(Boolean).join('. '),
    ];
  });
  return table(['Variable', 'Default', 'Meaning'], rows);
}
