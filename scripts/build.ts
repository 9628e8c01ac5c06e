/**
 * Bundles each program into one executable file under dist/, which needs nothing but Node.js 20 or later.
 *
 * What a program costs at its start is mostly V8 reading it, some 10 ms for a megabyte. So `yaml` comes from its ES
 * modules, of which only what is used gets in. Not minified: white space costs next to nothing, and stack traces stay
 * readable. CommonJS, because Node.js starts it fastest. The `#!` line of the entry stays the first one, as
 * kustomize needs.
 */
import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

const root = join(import.meta.dirname, '..');
const programs = { 'expand-backups': 'functions/expand-backups/main.ts' };

/** Under Node.js `yaml` would resolve to its CommonJS build, which comes whole. The ES modules use nothing of browsers. */
const yamlAsModules: Plugin = {
  name: 'yaml-as-modules',
  setup({ onResolve }) {
    const path = join(root, 'node_modules/yaml/browser/dist/index.js');
    onResolve({ filter: /^yaml$/ }, () => ({ path, sideEffects: false }));
  },
};

for (const [name, entry] of Object.entries(programs)) {
  const outfile = join(root, 'dist', `${name}.cjs`);
  await build({
    entryPoints: [join(root, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    plugins: [yamlAsModules],
    legalComments: 'none',
    logLevel: 'warning',
  });
  chmodSync(outfile, 0o755);
  console.log(`dist/${name}.cjs ${Math.round(statSync(outfile).size / 1024)} KiB`);
}
