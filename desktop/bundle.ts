/** Bundles the desk into dist/: what Electron loads has no imports left but Electron and Node. */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, type BuildOptions } from 'esbuild';

const root = import.meta.dirname;
const out = join(root, 'dist');

const common: BuildOptions = { bundle: true, sourcemap: false, logLevel: 'warning', absWorkingDir: root };
// Node of Electron 45. Preloads in a sandbox are CommonJS and may load nothing but Electron.
const inside: BuildOptions = {
  ...common,
  platform: 'node',
  format: 'cjs',
  target: 'node24',
  external: ['electron'],
};

rmSync(out, { recursive: true, force: true });
await build({
  ...inside,
  entryPoints: ['src/start.main.ts'],
  outfile: 'dist/main.cjs',
  define: { 'import.meta.dirname': '__dirname' },
});
await build({ ...inside, entryPoints: ['src/box.preload.ts'], outfile: 'dist/box-preload.cjs' });
await build({ ...inside, entryPoints: ['src/setup.preload.ts'], outfile: 'dist/setup-preload.cjs' });
for (const page of ['setup', 'unreachable']) {
  await build({
    ...common,
    platform: 'browser',
    format: 'esm',
    target: 'chrome140',
    entryPoints: [`src/${page}.renderer.ts`],
    outfile: `dist/${page}.js`,
  });
}
for (const file of ['setup.html', 'unreachable.html', 'page.css'])
  cpSync(join(root, 'page', file), join(out, file));
cpSync(join(root, 'assets/icon.png'), join(out, 'icon.png'));
