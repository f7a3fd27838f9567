/**
 * Makes `sw.js` after the build: the worker bundled to one file, with the list of what it keeps. What must stay true: its address never
 * changes (a browser asks for it anew to find a release), and every file of the shell is in the list.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { globSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import type { Plugin } from 'vite';

/** Kept with the shell. The encryption library (wasm) is kept when it is first used; the trust check is not the console's. */
const shell = [
  'index.html',
  'theme.js',
  'manifest.webmanifest',
  '*.svg',
  'icons/*.png',
  'assets/**/*.{js,css,woff2,svg}',
];
/** Names in `assets/` hold a hash: they need no revision. */
const hashed = /^assets\//;

export function serviceWorker(root: string): Plugin {
  let outDir = join(root, 'dist');
  return {
    name: 'siphera-service-worker',
    apply: 'build',
    configResolved: (config) => {
      outDir = resolve(config.root, config.build.outDir);
    },
    // Not `closeBundle`, which comes after a build that failed as well.
    writeBundle: async () => {
      const files = globSync(shell, { cwd: outDir }).sort((a, b) => a.localeCompare(b, 'en'));
      const entries = await Promise.all(
        files.map(async (file) => ({
          url: `/${file}`,
          revision: hashed.test(file) ? null : hashOf(await readFile(join(outDir, file))),
        })),
      );
      await build({
        entryPoints: [join(root, 'sw', 'sw.ts')],
        outfile: join(outDir, 'sw.js'),
        bundle: true,
        minify: true,
        format: 'iife',
        target: 'es2023',
        define: { 'self.__PRECACHE': JSON.stringify(entries), 'process.env.NODE_ENV': '"production"' },
      });
    },
  };
}

const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex').slice(0, 16);
