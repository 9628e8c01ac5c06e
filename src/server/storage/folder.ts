/** Objects as files of a folder: the storage of a server that needs nothing else. */
import { randomUUID } from 'node:crypto';
import { open, opendir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { UserError } from '../../api/problem.ts';
import { blocks, SourceFailed } from './blocks.ts';
import { Flushers } from './flusher.ts';
import {
  codeOf,
  DurableDirectories,
  flushDirectory,
  makePrivately,
  moveWithoutReplacing,
  removeFile,
  writeAll,
} from './folder-files.ts';
import { checkKey } from './keys.ts';
import { ObjectNotFound, type ObjectStorage, type PutOptions, StorageError } from './storage.ts';
import { within } from './within.ts';

/** Where uploads are until they are complete; on the same file system as everything else. */
const TEMPORARY = '.tmp';
/** Larger pieces are no quicker, but pile up as garbage: V8 collects by the number of small objects, not by what they hold. */
const READ_BYTES = 64 * 1024;

/**
 * Opens the folder, and makes it if it is not there, for its owner alone. Throws `UserError` if it cannot be used.
 */
export async function openFolder(path: string): Promise<ObjectStorage> {
  const root = resolve(path);
  try {
    await makePrivately(join(root, TEMPORARY));
    await flushDirectory(root);
  } catch (error) {
    throw new UserError(
      {
        code: 'invalid-value',
        message: `the storage folder ${JSON.stringify(path)} cannot be used (${codeOf(error) || 'unknown error'}): name a folder that the user who runs the server may write to`,
      },
      { cause: error },
    );
  }
  return new Folder(root);
}

class Folder implements ObjectStorage {
  /** As measured with 64 at a time. */
  readonly uploadBytes = 2 * 1024 * 1024;
  readonly #root: string;
  readonly #temporary: string;
  readonly #directories: DurableDirectories;
  readonly #flushers = new Flushers();

  constructor(root: string) {
    this.#root = root;
    this.#temporary = join(root, TEMPORARY);
    this.#directories = new DurableDirectories(root);
  }

  async put(key: string, source: Readable, { signal }: PutOptions): Promise<number> {
    const final = this.#path(key);
    const temporary = join(this.#temporary, randomUUID());
    try {
      const bytes = await this.#write(temporary, source, signal);
      await this.#publish(temporary, final, signal);
      return bytes;
    } catch (error) {
      await removeFile(temporary).catch(() => {});
      throw error instanceof SourceFailed ? error.reason : failure(error);
    }
  }

  /** Writes and flushes a new file. */
  async #write(path: string, source: Readable, signal: AbortSignal): Promise<number> {
    const pieces = blocks(source, signal);
    const file = await open(path, 'wx', 0o600);
    const flusher = this.#flushers.of(file);
    try {
      let bytes = 0;
      for await (const block of pieces) {
        await writeAll(file, block);
        bytes += block.length;
        flusher.wrote(block.length);
      }
      await flusher.finish();
      return bytes;
    } finally {
      await flusher.settle();
      await file.close();
    }
  }

  async #publish(temporary: string, final: string, signal: AbortSignal): Promise<void> {
    const directory = dirname(final);
    await this.#directories.make(directory);
    if (signal.aborted) throw new StorageError('the upload was cancelled', { cause: signal.reason });
    try {
      await moveWithoutReplacing(temporary, final);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') this.#directories.forget();
      throw error;
    }
    await flushDirectory(directory);
  }

  async get(
    key: string,
    { range, signal }: { range?: { start: number; end: number }; signal: AbortSignal },
  ): Promise<Readable> {
    const path = this.#path(key);
    try {
      const file = await open(path, 'r');
      try {
        const found = await file.stat();
        if (!found.isFile()) throw new ObjectNotFound(`there is no object ${key}`);
        if (range && range.start >= found.size) {
          throw new RangeError(`the range begins at ${range.start}, but the object has ${found.size} bytes`);
        }
        return file.createReadStream({ ...range, signal, highWaterMark: READ_BYTES });
      } catch (error) {
        await file.close();
        throw error;
      }
    } catch (error) {
      if (error instanceof ObjectNotFound || error instanceof RangeError) throw error;
      if (isAbsence(error)) throw new ObjectNotFound(`there is no object ${key}`);
      throw failure(error);
    }
  }

  async size(key: string): Promise<number | undefined> {
    try {
      const found = await stat(this.#path(key));
      return found.isFile() ? found.size : undefined;
    } catch (error) {
      if (isAbsence(error)) return undefined;
      throw failure(error);
    }
  }

  async remove(key: string): Promise<void> {
    const path = this.#path(key);
    try {
      // Flushed, so that what was removed does not come back after a power cut.
      if (await removeFile(path)) await flushDirectory(dirname(path));
    } catch (error) {
      throw failure(error);
    }
  }

  async *list(): AsyncIterable<{ key: string; writtenAt: number }> {
    yield* this.#listWithin('');
  }

  async *#listWithin(prefix: string): AsyncIterable<{ key: string; writtenAt: number }> {
    try {
      for await (const entry of await opendir(join(this.#root, prefix))) {
        if (entry.name.startsWith('.')) continue;
        const key = `${prefix}${entry.name}`;
        if (entry.isDirectory()) yield* this.#listWithin(`${key}/`);
        else if (entry.isFile()) {
          const writtenAt = await writtenAtOf(join(this.#root, key));
          if (writtenAt !== undefined) yield { key, writtenAt };
        }
      }
    } catch (error) {
      // A directory may go while it is being read.
      if (!isAbsence(error) || prefix === '') throw failure(error);
    }
  }

  async sweep(before: number): Promise<number> {
    let removed = 0;
    try {
      for await (const { name } of await opendir(this.#temporary)) {
        const path = join(this.#temporary, name);
        const writtenAt = await writtenAtOf(path);
        if (writtenAt !== undefined && writtenAt < before && (await removeFile(path))) removed++;
      }
    } catch (error) {
      throw failure(error);
    }
    return removed;
  }

  async check(timeoutMs: number): Promise<void> {
    await within(
      timeoutMs,
      this.#probe(),
      () => new StorageError(`the storage did not answer within ${timeoutMs} ms`),
    );
  }

  async #probe(): Promise<void> {
    const path = join(this.#temporary, `check-${randomUUID()}`);
    const content = randomUUID();
    try {
      const file = await open(path, 'wx', 0o600);
      try {
        await file.writeFile(content);
        await file.datasync();
      } finally {
        await file.close();
      }
      if ((await readFile(path, 'utf8')) !== content)
        throw new StorageError('the storage gave back other bytes than were written');
    } catch (error) {
      throw failure(error);
    } finally {
      await removeFile(path).catch(() => {});
    }
  }

  async close(): Promise<void> {}

  #path(key: string): string {
    checkKey(key);
    return join(this.#root, key);
  }
}

async function writtenAtOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

function isAbsence(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
}

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

function failure(error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const code = codeOf(error);
  const full = FULL.has(code);
  return new StorageError(explain(code, full, error), { cause: error, full });
}

function explain(code: string, full: boolean, error: unknown): string {
  if (full) return 'the storage folder is full: free some space, or keep fewer versions';
  if (code === 'EEXIST') return 'the storage already holds an object of that name, and never replaces one';
  if (code === 'EROFS') return 'the storage folder is read-only';
  if (code === 'EACCES' || code === 'EPERM')
    return 'the server may not write to, or read from, its storage folder';
  if (code === 'EMFILE' || code === 'ENFILE')
    return 'the server has too many files open: raise its limit of open files';
  if (code === 'ENOENT') return 'the storage folder, or a part of it, is gone';
  return `the storage folder failed: ${code || (error instanceof Error ? error.message : 'unknown error')}`;
}
