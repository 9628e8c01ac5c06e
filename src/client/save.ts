/** A version as a file: the user's own bytes, or just as it is stored. */
import { randomBytes } from 'node:crypto';
import { fsync } from 'node:fs';
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { failure } from './failure.ts';
import { isSystemError, reasonOf, regularFileOf, writeWhole } from './output.ts';
import { counted } from './peek.ts';
import { limitToReading, type Read, type ReadOptions, read } from './restore.ts';

export interface SaveOptions extends ReadOptions {
  /** A file that appears under this name only once it is complete; or a stream, which cannot take back what it got. */
  to: string | Writable;
  /** Neither decrypts nor decompresses. */
  asStored: boolean;
}

/** @throws {UserError} for everything that a user can mend; then there is no file. */
export function save(options: SaveOptions): Promise<Read> {
  limitToReading(options.repository, options.collectionId);
  const write = (content: AsyncGenerator<Buffer>) =>
    typeof options.to === 'string'
      ? replaceFile(options.to, content)
      : writeStream(content, options.to, options.signal);
  return options.asStored ? readStored(options, write) : read(options, 'downloading', write);
}

async function readStored(
  { repository, collectionId, version, report }: SaveOptions,
  write: (content: AsyncGenerator<Buffer>) => Promise<void>,
): Promise<Read> {
  const { versionNumber, size, content } = await repository.download(collectionId, version);
  let storedBytes = 0;
  const written = write(
    counted(content, (bytes) => {
      storedBytes += bytes;
      report.progress({
        phase: 'downloading',
        plain: storedBytes,
        stored: storedBytes,
        ...(size !== undefined && { total: size }),
      });
    }),
  );
  try {
    await written;
  } finally {
    // A generator that was never started, because the file could not be opened.
    content.return(undefined).catch(() => {});
  }
  return { versionNumber, storedBytes, plainBytes: storedBytes };
}

async function writeStream(
  content: AsyncGenerator<Buffer>,
  to: Writable,
  signal: AbortSignal,
): Promise<void> {
  const fd = regularFileOf(to);
  const written =
    fd === undefined ? pipeline(content, to, { end: false, signal }) : writeFileWhole(content, fd);
  await written.catch((error: unknown) => {
    if (signal.aborted) throw signal.reason;
    if (!isSystemError(error)) throw error;
    const why =
      error.code === 'EPIPE'
        ? 'whatever reads the output stopped before its end'
        : `cannot write to standard output: ${reasonOf(error)}`;
    throw failure('output-failed', why, undefined, error);
  });
}

async function writeFileWhole(content: AsyncIterable<Buffer>, fd: number): Promise<void> {
  for await (const chunk of content) await writeWhole(fd, chunk);
  // Some file systems say only now that they had no space.
  await promisify(fsync)(fd);
}

/**
 * Writes a file in whole or not at all: it is complete and flushed to the disk before it gets its name, and readable by its owner
 * only. Pipes and devices are written to as they are.
 *
 * @throws {UserError} `output-failed`, or what the content throws.
 */
export async function replaceFile(path: string, content: AsyncIterable<Buffer> | string): Promise<void> {
  const source = typeof content === 'string' ? [Buffer.from(content)] : content;
  // A link stays one, and what it leads to is replaced.
  const target = await realpath(path).catch(() => path);
  const special = await stat(target).then(
    (found) => !found.isFile() && !found.isDirectory(),
    () => false,
  );
  const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.part`);
  let file: FileHandle | undefined;
  try {
    if (special) {
      file = await attempt(path, open(target, 'w'));
    } else {
      await refuseFolder(path, target);
      file = await attempt(path, open(temporary, 'wx', 0o600));
    }
    for await (const chunk of source) await writeAll(file, chunk, path);
    if (!special) await attempt(path, file.sync());
    await attempt(path, file.close());
    if (!special) await attempt(path, rename(temporary, target));
  } catch (error) {
    await file?.close().catch(() => {});
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}

/** Better before the download than at its end. */
async function refuseFolder(path: string, target: string): Promise<void> {
  const folder = await stat(target).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (folder)
    throw failure(
      'output-failed',
      `cannot write ${path}: it is a folder`,
      `--save-path ${join(path, '<file>')}`,
    );
}

async function writeAll(file: FileHandle, chunk: Buffer, path: string): Promise<void> {
  for (let at = 0; at < chunk.length; ) {
    const { bytesWritten } = await attempt(path, file.write(chunk, at));
    at += bytesWritten;
  }
}

/** What the file system refuses is the user's to mend. */
async function attempt<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw failure(
      'output-failed',
      `cannot write ${path}: ${reasonOf(error)}`,
      '--save-path <another file>',
      error,
    );
  }
}
