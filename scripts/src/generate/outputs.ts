/** The list of generated files and where each comes from. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildOpenApi } from '@siphera/contract';
import { root } from '../root.ts';
import { buildAsyncApi } from './asyncapi.ts';
import { environmentTables } from './environment-tables.ts';
import { errorsPage, eventTypesPage, permissionsPage } from './reference-pages.ts';
import { webClient } from './web-client.ts';

export type GeneratedFile = { path: string; content: string };

/** Every generated file with the content it should have. */
export async function generatedFiles(): Promise<GeneratedFile[]> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  return [
    { path: 'docs/reference/openapi.json', content: json(buildOpenApi(version)) },
    { path: 'docs/reference/asyncapi.json', content: json(buildAsyncApi(version)) },
    { path: 'docs/reference/event-types.md', content: eventTypesPage() },
    { path: 'docs/reference/errors.md', content: errorsPage() },
    { path: 'docs/reference/permissions.md', content: permissionsPage() },
    { path: 'web/src/api/client.generated.ts', content: webClient() },
    ...(await environmentTables()),
  ];
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
