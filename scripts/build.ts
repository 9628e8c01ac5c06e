/**
 * Bundles each program into one executable file under dist/, which needs nothing but Node.js 20 or later.
 *
 * CommonJS, because Node.js starts it fastest. Not minified: white space costs next to nothing at the start, and stack
 * traces stay readable. The `#!` line of the entry stays the first one, as kustomize needs.
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
    plugins: [lazyYaml(root)],
    legalComments: 'none',
    logLevel: 'warning',
  });
  chmodSync(outfile, 0o755);
  console.log(`dist/${name}.cjs ${Math.round(statSync(outfile).size / 1024)} KiB`);
}
