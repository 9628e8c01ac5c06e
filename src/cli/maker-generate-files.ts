/** Files that replace others at once: nobody ever sees half of one, or a secret one that everybody may read. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../api/problem.ts';

export interface GeneratedFile {
  name: string;
  content: string | Uint8Array;
  mode: number;
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'no permission',
  EISDIR: 'a folder of that name is in the way',
  ENOTDIR: 'it is no folder',
  EEXIST: 'it is no folder',
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
};

/**
 * Writes all of them into the folder, which is made if need be, in this order; returns their paths. Nothing takes its final place
 * before all are written completely.
 *
 * @throws {UserError} `output-failed`
 */
export async function writeFiles(folder: string, files: readonly GeneratedFile[]): Promise<string[]> {
  const temporary: string[] = [];
  let at = folder;
  try {
    await mkdir(folder, { recursive: true });
    for (const { name, content, mode } of files) {
      at = join(folder, name);
      const path = join(folder, `.${name}.${randomBytes(6).toString('hex')}`);
      temporary.push(path);
      const handle = await open(path, 'wx', 0o600);
      try {
        await handle.writeFile(content);
        // Not with open, where the umask would have its say.
        await handle.chmod(mode);
        await handle.sync();
      } finally {
        await handle.close();
      }
    }
    const written: string[] = [];
    for (const [index, { name }] of files.entries()) {
      at = join(folder, name);
      await rename(temporary[index] ?? '', at);
      written.push(at);
    }
    return written;
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new UserError(
      { code: 'output-failed', message: `cannot write ${at}: ${REASONS[code] ?? message}` },
      { cause: error },
    );
  } finally {
    await Promise.all(temporary.map((path) => rm(path, { force: true })));
  }
}

/** What a file of that name holds; undefined if there is none. @throws {UserError} `output-failed` */
export async function readBefore(folder: string, name: string): Promise<Buffer | undefined> {
  try {
    return await readFile(join(folder, name));
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new UserError(
      { code: 'output-failed', message: `cannot replace ${join(folder, name)}: ${REASONS[code] ?? message}` },
      { cause: error },
    );
  }
}
