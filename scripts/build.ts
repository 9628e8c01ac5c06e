/**
 * Bundles each program into one executable file under dist/, which needs nothing but Node.js 20 or later.
 *
 * CommonJS, because Node.js starts it fastest; minified, because V8 reads all of it at every start (bench/README.md
 * has the numbers). `node --enable-source-maps` shows our own names and lines where the `.map` file is kept beside
 * it. The `#!` line of the entry stays the first one, as kustomize needs.
 */
import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { lazyYaml } from './lazy-yaml.ts';

const root = join(import.meta.dirname, '..');
const programs = { 'expand-backups': 'functions/expand-backups/main.ts' };

for (const [name, entry] of Object.entries(programs)) {
  const outfile = join(root, 'dist', `${name}.cjs`);
  await build({
    entryPoints: [join(root, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minify: true,
    sourcemap: 'linked',
    plugins: [lazyYaml(root)],
    legalComments: 'none',
    logLevel: 'warning',
  });
  chmodSync(outfile, 0o755);
  console.log(`dist/${name}.cjs ${Math.round(statSync(outfile).size / 1024)} KiB`);
}
