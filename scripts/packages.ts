/**
 * The packages that the bundles hold, from what esbuild says it put in, and from the lock file: not those that are
 * installed, which are many more.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Built } from './bundles.ts';

export interface Package {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly licence: string;
  /** Subresource Integrity of the package's archive, as the lock file has it. */
  readonly integrity: string;
  /** npm would run something of it when it is installed. */
  readonly hasInstallScript: boolean;
  /** Below the root, with slashes. */
  readonly folder: string;
}

export interface BundledPackage extends Package {
  /** Names of the bundles that hold it. */
  readonly bundles: readonly string[];
  /** Files that hold it, below `dist/`. */
  readonly files: readonly string[];
  /** Keys (`name@version`) of the packages in the bundles that it imports. */
  readonly imports: readonly string[];
}

interface Locked {
  version?: string;
  license?: string;
  integrity?: string;
  dev?: boolean;
  hasInstallScript?: boolean;
}

/** Scripts that npm runs when it installs a package from a registry. */
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall'];

export function keyOf({ name, version }: Pick<Package, 'name' | 'version'>): string {
  return `${name}@${version}`;
}

/** Every package of which code is in a bundle, by name and version. */
export function packagesOf(root: string, built: readonly Built[]): BundledPackage[] {
  const found = new Map<string, BundledPackage & Record<'bundles' | 'files' | 'imports', string[]>>();
  const packageIn = cached((folder) => readPackage(root, folder));
  const keyIn = (input: string) => {
    const folder = folderOf(input);
    return folder === undefined ? undefined : keyOf(packageIn(folder));
  };
  for (const { bundle, metafile } of built) {
    for (const [output, { inputs }] of Object.entries(metafile.outputs)) {
      for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
        const folder = folderOf(input);
        if (folder === undefined || bytesInOutput === 0) continue;
        const key = keyOf(packageIn(folder));
        const known = found.get(key) ?? { ...packageIn(folder), bundles: [], files: [], imports: [] };
        found.set(key, known);
        add(known.bundles, bundle.name);
        add(known.files, output.replace(/^dist\//, ''));
        for (const { path } of metafile.inputs[input]?.imports ?? []) {
          const imported = keyIn(path);
          if (imported !== undefined && imported !== key) add(known.imports, imported);
        }
      }
    }
  }
  return [...found.values()]
    .map((each) => ({
      ...each,
      files: each.files.sort(),
      imports: each.imports.filter((key) => found.has(key)).sort(),
    }))
    .sort(byName);
}

/** All packages that the lock file knows and that are installed, the bundled ones among them. */
export function lockedPackages(root: string): (Package & { dev: boolean })[] {
  return Object.entries(lockFile(root).packages)
    .filter(([folder]) => folder !== '')
    .map(([folder, locked]) => ({ ...fromLock(folder, locked), dev: locked.dev === true }))
    .sort(byName);
}

/** What package.json asks for by name, and with which versions. */
export function manifestOf(root: string): {
  name: string;
  version: string;
  description: string;
  license: string;
  dependencies: Readonly<Record<string, string>>;
  devDependencies: Readonly<Record<string, string>>;
  allowScripts: Readonly<Record<string, boolean>>;
} {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
}

/** Of the package that an input of esbuild is from; undefined for files of ours. */
function folderOf(input: string): string | undefined {
  // lazy-yaml.ts hands the package over under a name of its own.
  if (input === 'lazy-yaml:yaml') return 'node_modules/yaml';
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];
}

function readPackage(root: string, folder: string): Package {
  const locked = lockFile(root).packages[folder];
  if (!locked) throw new Error(`${folder} is not in package-lock.json: run "npm ci"`);
  const found = fromLock(folder, locked);
  const { version, scripts = {} } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  if (version !== found.version)
    throw new Error(`${folder} is ${version}, package-lock.json says ${found.version}: run "npm ci"`);
  // The lock file could be wrong about what matters most.
  const hasInstallScript = found.hasInstallScript || INSTALL_SCRIPTS.some((name) => name in scripts);
  return { ...found, hasInstallScript };
}

function fromLock(folder: string, locked: Locked): Package {
  return {
    name: folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length),
    version: locked.version ?? '',
    licence: locked.license ?? '',
    integrity: locked.integrity ?? '',
    hasInstallScript: locked.hasInstallScript === true,
    folder,
  };
}

const lockFile = cached((root: string): { packages: Readonly<Record<string, Locked>> } =>
  JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')),
);

function cached<T>(work: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>();
  return (key) => {
    const value = known.get(key) ?? work(key);
    known.set(key, value);
    return value;
  };
}

function add(list: string[], value: string): void {
  if (!list.includes(value)) list.push(value);
}

/** The same order everywhere, whatever the locale. */
function byName(a: Package, b: Package): number {
  const [first, second] = [keyOf(a), keyOf(b)];
  return first < second ? -1 : first > second ? 1 : 0;
}
