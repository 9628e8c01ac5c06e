/** What the folder does to single files and directories, such that a power cut undoes none of it. */
import { type FileHandle, link, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname, relative } from 'node:path';

/** Writes all of it at the end of a file; the system may take it in several bites. */
export async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let start = 0; start < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, start);
    start += bytesWritten;
  }
}

/** Gives a file its final name; throws `EEXIST` if there is one of that name. */
export async function moveWithoutReplacing(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!NO_LINKS.has(codeOf(error))) throw error;
    // A file system without hard links. Names are used once, so nobody comes between.
    if (await exists(to)) throw Object.assign(new Error('the file exists'), { code: 'EEXIST' });
    await rename(from, to);
    return;
  }
  await unlink(from);
}

const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

/** Directories whose names are known to be on stable storage, so that it is ensured only once. */
export class DurableDirectories {
  readonly #root: string;
  readonly #known = new Set<string>();

  /** Everything above `root` is the operator's. */
  constructor(root: string) {
    this.#root = root;
  }

  /** Makes a directory and those above it, up to the root, and flushes their names. */
  async make(directory: string): Promise<void> {
    if (this.#known.has(directory)) return;
    if (relative(this.#root, directory) !== '') {
      const parent = dirname(directory);
      await this.make(parent);
      await makeOne(directory);
      // Even if somebody else made it: they may not have flushed it yet.
      await flushDirectory(parent);
    }
    this.#known.add(directory);
  }

  /** Call when a directory turned out to be gone: somebody tidied up. */
  forget(): void {
    this.#known.clear();
  }
}

/**
 * Makes a directory and those above it, for their owner alone. Not with Node's `recursive`, which never returns where
 * the system says that the parent of a new directory is not there although it is, as below `/proc`.
 */
export async function makePrivately(path: string): Promise<void> {
  try {
    await makeOne(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    if (!(await exists(dirname(path)))) await makePrivately(dirname(path));
    await makeOne(path);
  }
}

async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error;
  }
}

/** Brings the names in a directory to stable storage. */
export async function flushDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } catch (error) {
    // Some network file systems cannot, and need not.
    if (codeOf(error) !== 'EINVAL' && codeOf(error) !== 'ENOTSUP') throw error;
  } finally {
    await directory.close();
  }
}

/** Removes a file; false if there was none. */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}

/** The system's name of an error, such as `ENOSPC`; empty if it is no system error. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
