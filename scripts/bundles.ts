/**
 * What is bundled into which program, and how: one place for the build, and for what is told about the packages in it.
 *
 * The function is CommonJS, because Node.js starts it fastest, and minified, because V8 reads all of it at every start
 * (bench/README.md has the numbers). Client and server are ES modules for Node.js 24, readable, because they run for
 * long and their start does not matter. Engines and formats that are not used are parts of their own, which are never
 * loaded.
 */
import { join } from 'node:path';
import { type BuildOptions, build, type Metafile } from 'esbuild';
import { lazyYaml } from './lazy-yaml.ts';
import { quietBuiltins } from './quiet-builtins.ts';

export interface Bundle {
  readonly name: string;
  /** Below the root, with slashes. */
  readonly entry: string;
  /** A program is a file that can be started, alone or in a folder of its own; a module is for others to import. */
  readonly kind: 'program' | 'module';
  readonly inFolder: boolean;
}

export interface Built {
  readonly bundle: Bundle;
  readonly metafile: Metafile;
  /** By their paths below `dist/`, with slashes. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The comments that ask to be kept, as esbuild lists them; empty if there are none. */
  readonly legalComments: string;
}

export const BUNDLES: readonly Bundle[] = [
  { name: 'expand-backups', entry: 'functions/expand-backups/main.ts', kind: 'program', inFolder: false },
  { name: 'backup-maker', entry: 'src/cli/backup-maker.ts', kind: 'program', inFolder: true },
  { name: 'backup-repository', entry: 'src/cli/backup-repository.ts', kind: 'program', inFolder: true },
  { name: 'kpt-func', entry: 'functions/kpt-func/expand-backups.ts', kind: 'module', inFolder: false },
];

const LEGAL = '.LEGAL.txt';

/** Bundles into memory; nothing is written. */
export async function bundle(root: string, one: Bundle): Promise<Built> {
  const dist = join(root, 'dist');
  const { metafile, outputFiles = [] } = await build({
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    write: false,
    metafile: true,
    // They go into one file with the licences, see notices.ts.
    legalComments: 'external',
    logLevel: 'warning',
    ...(one.inFolder ? foldered(one, dist) : single(root, one, dist)),
  } satisfies BuildOptions);
  const files = new Map<string, Uint8Array>();
  let legalComments = '';
  for (const { path, text, contents } of outputFiles) {
    if (path.endsWith(LEGAL)) legalComments += text;
    else files.set(path.slice(dist.length + 1).replaceAll('\\', '/'), contents);
  }
  return { bundle: one, metafile: metafile as Metafile, files, legalComments };
}

/** `node --enable-source-maps` shows our own names and lines where the `.map` file is kept beside it. */
function single(root: string, { name, entry }: Bundle, dist: string): BuildOptions {
  return {
    entryPoints: [entry],
    outfile: join(dist, `${name}.cjs`),
    target: 'node20',
    format: 'cjs',
    minify: true,
    sourcemap: 'linked',
    plugins: [lazyYaml(root)],
  };
}

function foldered({ name, entry }: Bundle, dist: string): BuildOptions {
  return {
    entryPoints: { [name]: entry },
    outdir: join(dist, name),
    outExtension: { '.js': '.mjs' },
    splitting: true,
    target: 'node24',
    format: 'esm',
    // Packages of the CommonJS kind call require() for what Node.js itself has.
    banner: {
      js: "import { createRequire as createRequire$ } from 'node:module';const require = createRequire$(import.meta.url);",
    },
    external: ['pg-native'],
    plugins: [quietBuiltins],
  };
}
