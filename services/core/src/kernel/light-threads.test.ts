import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Writes the URL of each module that was loaded, when the process ends. */
const hooks = `data:text/javascript,${encodeURIComponent(`
import { registerHooks } from 'node:module';
import { writeSync } from 'node:fs';
const urls = [];
registerHooks({ load: (url, context, next) => { urls.push(url); return next(url, context); } });
process.on('exit', () => writeSync(1, urls.join('\\n')));
`)}`;

/** What a thread's file imports. It ends at once, for it is no thread here and has no configuration; its imports are loaded by then. */
function loadedBy(file: string): Promise<string[]> {
  const path = join(import.meta.dirname, file);
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', hooks, path], { env: {} }, (_error, stdout) =>
      resolve(stdout.split('\n')),
    );
  });
}

describe('a thread that serves no HTTP', () => {
  // Each thread has a heap of its own: what it need not have would be there once more.
  it.each(['../main.ts', './reader.thread.ts'])('loads nothing of HTTP: %s', async (file) => {
    const loaded = await loadedBy(file);
    expect(loaded.some((url) => url.endsWith('/runtime/src/base.ts'))).toBe(true);
    const heavy = /\/node_modules\/(express|jose|prom-client)\/|\/contract\/src\/rest\//;
    expect(loaded.filter((url) => heavy.test(url))).toEqual([]);
  });
});
