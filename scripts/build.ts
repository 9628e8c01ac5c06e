/**
 * Bundles each program into one executable file under dist/, which needs nothing but Node.js 20 or later.
 *
 * CommonJS, because `yaml` resolves to its CommonJS build under Node; not minified, because that gains no start-up
 * time and would make stack traces unreadable. The `#!` line of the entry stays the first one, as kustomize needs.
 */
import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

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
    legalComments: 'none',
    logLevel: 'warning',
  });
  chmodSync(outfile, 0o755);
  console.log(`dist/${name}.cjs ${Math.round(statSync(outfile).size / 1024)} KiB`);
}
