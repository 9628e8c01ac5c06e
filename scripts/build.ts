/**
 * Bundles each program into one executable file under dist/, which needs nothing but Node.js 20 or later; and the
 * function for the SDK kpt-functions into a module beside them.
 *
 * CommonJS, because Node.js starts it fastest; minified, because V8 reads all of it at every start (bench/README.md
 * has the numbers). `node --enable-source-maps` shows our own names and lines where the `.map` file is kept beside
 * it. The `#!` line of the entry stays the first one, as kustomize needs.
 */
import { chmodSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { lazyYaml } from './lazy-yaml.ts';
import { quietBuiltins } from './quiet-builtins.ts';

const root = join(import.meta.dirname, '..');
const programs = { 'expand-backups': 'functions/expand-backups/main.ts' };
const modules = { 'kpt-func': 'functions/kpt-func/expand-backups.ts' };

for (const [name, entry] of Object.entries(programs)) chmodSync(await bundle(name, entry), 0o755);
for (const name of ['backup-maker', 'backup-repository']) chmodSync(await bundleProgram(name), 0o755);
for (const [name, entry] of Object.entries(modules)) await bundle(name, entry);
writeFileSync(
  join(root, 'dist/kpt-func.d.cts'),
  "import type { KptFunc } from 'kpt-functions';\nexport declare const expandBackups: KptFunc;\n",
);

async function bundle(name: string, entry: string): Promise<string> {
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
  console.log(`dist/${name}.cjs ${Math.round(statSync(outfile).size / 1024)} KiB`);
  return outfile;
}

/**
 * Client and server: ES modules for Node.js 24, readable, because they run for long and their start does not matter. Engines and
 * formats that are not used are parts of their own, which are never loaded; so are the programs of threads.
 */
async function bundleProgram(name: string, threads: Readonly<Record<string, string>> = {}): Promise<string> {
  const outdir = join(root, 'dist', name);
  rmSync(outdir, { recursive: true, force: true });
  const entries = { [name]: `src/cli/${name}.ts`, ...threads };
  await build({
    entryPoints: Object.fromEntries(
      Object.entries(entries).map(([entry, file]) => [entry, join(root, file)]),
    ),
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // Packages of the CommonJS kind call require() for what Node.js itself has.
    banner: {
      js: "import { createRequire as createRequire$ } from 'node:module';const require = createRequire$(import.meta.url);",
    },
    external: ['pg-native'],
    plugins: [quietBuiltins],
    legalComments: 'none',
    logLevel: 'warning',
  });
  const outfile = join(outdir, `${name}.mjs`);
  console.log(`dist/${name}/ ${Math.round(statSync(outfile).size / 1024)} KiB and its parts`);
  return outfile;
}
