/**
 * Configuration from a folder of YAML files.
 *
 * Changes apply without a restart: the folder is watched, and looked through every now and then for the changes that
 * watching misses (network file systems, folders that were replaced).
 */
import { type FSWatcher, watch } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../api/problem.ts';
import type { JsonObject } from '../../krm/json.ts';
import type { ConfigurationProvider, Snapshot } from './configuration.ts';
import { type Document, readDocuments } from './documents.ts';
import {
  expandHome,
  type FolderOptions,
  type Layout,
  type Listing,
  layoutOf,
  listFolder,
  type SourceFile,
} from './folder.ts';
import type { SecretEncoding } from './secret-data.ts';
import { State } from './state.ts';

export interface FilesystemOptions {
  /** Configuration folder; a leading `~` is the home folder. */
  path: string;
  /** Default: `backup-repository`. Matters in the original's layout only. */
  namespace?: string;
  /** Default: `original` if the folder has `{namespace}/backups.riotkit.org/v1alpha1/...` or `{namespace}/v1/secrets`. */
  layout?: Layout;
  /**
   * How `data` of Secrets is written. Default: `raw` in the original's layout, as the original read it, and `base64` in a
   * plain folder, as Kubernetes means it. `stringData` is never encoded.
   */
  secretData?: SecretEncoding;
  /** Folder of mounted Secret volumes, one folder for each Secret, one file for each entry. */
  secretsPath?: string;
  /** Milliseconds that a change is given to settle. Default: 100. */
  debounceMs?: number;
  /** Milliseconds between two looks at the whole folder. Default: 10000. */
  pollMs?: number;
}

const MAX_FILE_BYTES = 4 * 1024 * 1024;

export class FilesystemProvider implements ConfigurationProvider {
  readonly #options: FilesystemOptions;
  readonly #state = new State();
  /** What each source looked like when it was last read. */
  readonly #prints = new Map<string, string>();
  readonly #watchers = new Map<string, { id: string; watcher: FSWatcher }>();
  #folder: FolderOptions | undefined;
  #fault: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #poll: NodeJS.Timeout | undefined;
  #work: Promise<void> | undefined;
  #again: Promise<void> | undefined;
  #stopped = false;

  constructor(options: FilesystemOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { path, namespace = 'backup-repository', secretsPath, pollMs = 10_000 } = this.#options;
    const layout = this.#options.layout ?? layoutOf(path, namespace);
    const encoding = this.#options.secretData ?? (layout === 'original' ? 'raw' : 'base64');
    this.#folder = { path, namespace, layout, encoding, ...(secretsPath !== undefined && { secretsPath }) };
    await this.refresh();
    const { users } = this.current();
    if (this.#fault !== undefined || users.size === 0) {
      await this.stop();
      const [first] = this.problems();
      throw new UserError({
        code: 'not-found',
        message: `there is no usable BackupUser in the configuration folder ${path}${first ? `: ${first}` : ''}`,
      });
    }
    this.#poll = setInterval(() => void this.refresh(), pollMs).unref();
  }

  current(): Snapshot {
    return this.#state.snapshot();
  }

  problems(): readonly string[] {
    return this.#fault === undefined ? this.#state.problems() : [this.#fault, ...this.#state.problems()];
  }

  /** The layout that was found at the start; undefined before. */
  get layout(): Layout | undefined {
    return this.#folder?.layout;
  }

  /**
   * Reads what has changed until now; afterwards `current()` is up to date. Costs one look at each file's date, and is
   * shared by all who ask at the same time. Never throws.
   */
  refresh(): Promise<void> {
    if (!this.#work) return this.#begin();
    // The work under way may have passed the change already: one more round, for all who ask meanwhile.
    this.#again ??= this.#work.then(() => {
      this.#again = undefined;
      return this.#begin();
    });
    return this.#again;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#poll);
    clearTimeout(this.#timer);
    for (const { watcher } of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    await this.#work;
  }

  #begin(): Promise<void> {
    this.#work = this.#read().finally(() => {
      this.#work = undefined;
    });
    return this.#work;
  }

  async #read(): Promise<void> {
    if (!this.#folder || this.#stopped) return;
    const listing = await this.#list(this.#folder);
    if (!listing) return;
    const present = new Set<string>();
    for (const file of listing.files) if (await this.#readFile(file)) present.add(file.source);
    // A file that was listed and is not there was removed, unless the whole folder has gone meanwhile.
    if (present.size < listing.files.length && !(await this.#list(this.#folder))) return;
    for (const source of this.#state.sources()) if (!present.has(source)) this.#forget(source);
  }

  /** What there is to read; undefined, with a problem, if the folder cannot be listed. */
  async #list(folder: FolderOptions): Promise<Listing | undefined> {
    try {
      const listing = await listFolder(folder);
      // Watch first, then read: a change between the two is seen twice rather than never.
      await this.#watch(listing.folders);
      this.#fault = undefined;
      return listing;
    } catch (error) {
      const kept = this.#state.sources().length > 0 ? '; the last good state stays in use' : '';
      const path = (error as NodeJS.ErrnoException).path ?? folder.path;
      this.#fault = `the configuration folder ${path} cannot be read (${codeOf(error)})${kept}`;
      return undefined;
    }
  }

  /** False if there is no such file. */
  async #readFile(file: SourceFile): Promise<boolean> {
    try {
      const print = await fingerprint(file);
      if (this.#prints.get(file.source) === print) return true;
      const documents =
        file.form === 'documents' ? await readFileDocuments(file.path) : [await mountedSecret(file)];
      this.#state.update(file.source, documents, file.rules);
      this.#prints.set(file.source, print);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false;
      this.#prints.delete(file.source);
      this.#state.unreadable(file.source, codeOf(error));
    }
    return true;
  }

  #forget(source: string): void {
    this.#state.remove(source);
    this.#prints.delete(source);
  }

  async #watch(folders: readonly string[]): Promise<void> {
    const wanted = new Set(folders);
    for (const [folder, { watcher }] of this.#watchers) {
      if (wanted.has(folder)) continue;
      watcher.close();
      this.#watchers.delete(folder);
    }
    for (const folder of wanted) {
      const { dev, ino } = await stat(folder);
      const id = `${dev}:${ino}`;
      const old = this.#watchers.get(folder);
      // A folder of the same name that is another one is no longer watched by the old watcher.
      if (this.#stopped || old?.id === id) continue;
      old?.watcher.close();
      this.#watchers.delete(folder);
      try {
        const watcher = watch(folder, { persistent: false }, () => this.#changed());
        watcher.on('error', () => watcher.close());
        this.#watchers.set(folder, { id, watcher });
      } catch {
        // Too many watchers on this machine: the regular look must do.
      }
    }
  }

  #changed(): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.refresh(), this.#options.debounceMs ?? 100).unref();
  }
}

/** Changes whenever the content may have changed; the inode tells files apart that were swapped within a tick. */
async function fingerprint({ path, form }: SourceFile): Promise<string> {
  const paths = form === 'documents' ? [path] : (await entryNames(path)).map((name) => join(path, name));
  const parts = await Promise.all(
    paths.map(async (each) => {
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(each, { bigint: true });
      return [each, dev, ino, size, mtimeNs, ctimeNs].join(' ');
    }),
  );
  return parts.join('\n');
}

async function readFileDocuments(path: string): Promise<Document[]> {
  return readDocuments(await readText(path));
}

async function mountedSecret({ path, rules }: SourceFile): Promise<Document> {
  const stringData: JsonObject = {};
  for (const name of await entryNames(path)) stringData[name] = await readText(join(path, name));
  const metadata = { name: rules.name ?? '' };
  return { line: 1, value: { apiVersion: 'v1', kind: 'Secret', metadata, stringData } };
}

async function entryNames(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
}

async function readText(path: string): Promise<string> {
  const { size } = await stat(path);
  if (size > MAX_FILE_BYTES) throw Object.assign(new Error('too large'), { code: 'larger than 4 MiB' });
  return readFile(expandHome(path), 'utf8');
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error';
}
