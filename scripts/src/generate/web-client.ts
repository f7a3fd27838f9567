/** The console's table of operations: method and path alone, so that no schema ends up in the browser's bundle. */
import { type Route, routes } from '@siphera/contract';

export function webClient(): string {
  const lines = Object.entries(routes as Record<string, Route>).map(
    ([name, { method, path }]) => `  ${name}: { method: '${method.toUpperCase()}', path: '${path}' },`,
  );
  return [
    "/** Generated from the contract's routes by `npm run generate`. Do not edit. */",
    '',
    'export const operations = {',
    ...lines,
    '} as const;',
    '',
  ].join('\n');
}
