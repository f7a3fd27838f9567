/** Makes dist/siphera-agent.mjs: the whole agent in one file that a bare Node 24 starts. */
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

const here = import.meta.dirname;
const outfile = process.argv[2] ?? join(here, 'dist/siphera-agent.mjs');
await build({
  entryPoints: [join(here, 'src/main.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  legalComments: 'linked',
  // CommonJS packages inside ask for Node's own modules by require.
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire as siphera_require } from 'node:module';\nconst require = siphera_require(import.meta.url);",
  },
});
await chmod(outfile, 0o755);
