/** Which files of a configuration folder are read, and how: no content is looked at here. */
import { type Dirent, existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { SecretEncoding } from './secret-data.ts';
import type { ReadingRules } from './state.ts';

/**
 * `original`: `{path}/{namespace}/{apiGroup}/{apiVersion}/{plural}/{name}.yaml`, one object a file, named by it.
 * `folder`: all YAML and JSON files that lie in the folder, with any names and any number of documents.
 */
export type Layout = 'original' | 'folder';

export interface FolderOptions {
  /** A leading `~` is the home folder. */
  readonly path: string;
  /** Part of the path in the original's layout. */
  readonly namespace: string;
  readonly layout: Layout;
  /** How `data` of Secrets is written. */
  readonly encoding: SecretEncoding;
  /** Folder of mounted Secret volumes: `{secretsPath}/{name of the Secret}/{entry}`. */
  readonly secretsPath?: string;
}

/** A file of documents, or a folder that is a mounted Secret. */
export interface SourceFile {
  /** What messages call it, and what orders sources: relative to the folder. */
  readonly source: string;
  readonly path: string;
  readonly form: 'documents' | 'mounted-secret';
  readonly rules: ReadingRules;
}

export interface Listing {
  readonly files: readonly SourceFile[];
  /** Folders whose changes matter. */
  readonly folders: readonly string[];
}

const OBJECT_FOLDERS = [
  'backups.riotkit.org/v1alpha1/backupcollections',
  'backups.riotkit.org/v1alpha1/backupusers',
  'v1/secrets',
];

export function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}

/** The layout that a folder is in, by the folders that only the original's layout has. */
export function layoutOf(path: string, namespace: string): Layout {
  const original = OBJECT_FOLDERS.some((folder) => existsSync(join(expandHome(path), namespace, folder)));
  return original ? 'original' : 'folder';
}

/**
 * Lists what is to be read. Throws what the file system throws if the folder itself cannot be listed.
 *
 * Folders within the folder are never searched: uploads may be stored below it, and a backup that happens to be a YAML
 * file must not become a user. Names with a leading dot, such as a ConfigMap's `..data`, are left out as well.
 */
export async function listFolder(options: FolderOptions): Promise<Listing> {
  const root = expandHome(options.path);
  const { encoding } = options;
  const listings: Listing[] = [];
  if (options.layout === 'folder') {
    const names = (await readdir(root)).filter((name) => /^[^.].*\.(ya?ml|json)$/.test(name));
    const files = names.map((name) => documents(name, join(root, name), { encoding }));
    listings.push({ files, folders: [root] });
  } else {
    await readdir(root);
    for (const folder of OBJECT_FOLDERS) {
      listings.push(await listOriginal(root, join(options.namespace, folder), encoding));
    }
  }
  if (options.secretsPath !== undefined)
    listings.push(await listMountedSecrets(expandHome(options.secretsPath)));
  return {
    files: listings.flatMap(({ files }) => files),
    folders: listings.flatMap(({ folders }) => folders),
  };
}

async function listOriginal(root: string, folder: string, encoding: SecretEncoding): Promise<Listing> {
  const path = join(root, folder);
  const names = (await entries(path)).map(({ name }) => name).filter((name) => /^[^.].*\.yaml$/.test(name));
  const files = names.map((file) =>
    documents(join(folder, file), join(path, file), { encoding, name: file.slice(0, -'.yaml'.length) }),
  );
  // The folder may come later: until then its nearest parent is watched.
  return { files, folders: existsSync(path) ? [path] : [nearestParent(path)] };
}

async function listMountedSecrets(root: string): Promise<Listing> {
  const names = (await readdir(root, { withFileTypes: true }))
    .filter((entry) => !entry.name.startsWith('.') && !entry.isFile())
    .map(({ name }) => name);
  const files = names.map((name): SourceFile => {
    const rules: ReadingRules = { encoding: 'raw', name };
    return { source: join(root, name), path: join(root, name), form: 'mounted-secret', rules };
  });
  return { files, folders: [root, ...files.map(({ path }) => path)] };
}

function documents(source: string, path: string, rules: ReadingRules): SourceFile {
  return { source, path, form: 'documents', rules };
}

/** A folder that is not there has no entries; anything else that goes wrong is thrown. */
async function entries(path: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function nearestParent(path: string): string {
  let parent = path;
  while (!existsSync(parent) && parent !== join(parent, '..')) parent = join(parent, '..');
  return parent;
}
