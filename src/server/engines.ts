/** Opens what the server keeps its data in, from URLs or, without any, in a folder of its own. */
import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError } from '../api/problem.ts';
import { expandHome } from './configuration/folder.ts';
import type { Metadata } from './metadata/metadata.ts';
import { openMetadata } from './metadata/open-metadata.ts';
import { openStorage } from './storage/open-storage.ts';
import type { ObjectStorage } from './storage/storage.ts';

export interface EngineOptions {
  /** Folder for everything that has no URL of its own; made if it is needed and not there. A leading `~` is the home folder. */
  dataPath: string;
  database?: string | undefined;
  storage?: string | undefined;
}

export interface Engines {
  metadata: Metadata;
  storage: ObjectStorage;
  /** True if no other process can share the database. */
  alone: boolean;
  close(): Promise<void>;
}

const KEY_FILE = 'jwt-secret-key';
const KEY_BYTES = 48;

/** Opens both, with the schema up to date. @throws {UserError} for a URL that cannot work; `MetadataUnavailable`. */
export async function openEngines(options: EngineOptions): Promise<Engines> {
  const folder = resolve(expandHome(options.dataPath));
  if (!options.database || !options.storage) await makeFolder(folder);
  const database = options.database || `sqlite://${encodeURI(join(folder, 'backups.db'))}`;
  const metadata = await openMetadata(database);
  try {
    await metadata.migrate();
    const storage = await openStorage(options.storage || pathToFileURL(join(folder, 'objects')).href);
    const close = async () => {
      await storage.close();
      await metadata.close();
    };
    return { metadata, storage, alone: database.startsWith('sqlite:'), close };
  } catch (error) {
    await metadata.close();
    throw error;
  }
}

/**
 * The key that signs tokens: the given one, else one that was made at the first start and is kept in the data folder,
 * readable by its owner only. @throws {UserError} if there is none and replicas would each make their own.
 */
export async function tokenKey(given: string | undefined, options: EngineOptions): Promise<string> {
  if (given) return given;
  if (/^postgres(ql)?:/.test(options.database ?? '')) {
    throw new UserError({
      code: 'missing-field',
      message:
        'the key that signs tokens is missing: with PostgreSQL all replicas must share one, so set BR_JWT_SECRET_KEY, for example to the output of "openssl rand -base64 48"',
    });
  }
  const folder = resolve(expandHome(options.dataPath));
  const file = join(folder, KEY_FILE);
  const kept = await readKey(file);
  if (kept) return kept;
  await makeFolder(folder);
  await writeKey(file);
  return (await readKey(file)) ?? '';
}

async function readKey(file: string): Promise<string | undefined> {
  try {
    const key = (await readFile(file, 'utf8')).trim();
    await chmod(file, 0o600);
    return key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unusable(file, error);
  }
}

/** Complete or not there, and never a second one: of two that start at once, both use the first. */
async function writeKey(file: string): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(`${randomBytes(KEY_BYTES).toString('base64url')}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(temporary, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } catch (error) {
    throw unusable(file, error);
  } finally {
    await unlink(temporary).catch(() => {});
  }
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unusable(folder, error);
  }
}

function unusable(path: string, error: unknown): UserError {
  const { code } = error as NodeJS.ErrnoException;
  return new UserError(
    {
      code: 'invalid-value',
      message: `${path} cannot be used (${code ?? 'unknown error'}): give the user who runs the server access to it, or name another folder with --data-path`,
    },
    { cause: error },
  );
}
