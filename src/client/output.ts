/** What file systems say, and standard output that the shell has led into a file. */
import { fstatSync, write } from 'node:fs';
import type { Writable } from 'node:stream';
import { promisify } from 'node:util';

const STDOUT = 1;

/**
 * The descriptor, if the stream is standard output and that is a regular file. Node.js writes to such a file once, and takes no notice
 * if only a part was taken, as when the disk becomes full: write with {@link writeWhole} instead.
 */
export function regularFileOf(stream: Writable & { fd?: unknown }): number | undefined {
  return stream.fd === STDOUT && fstatSync(STDOUT).isFile() ? STDOUT : undefined;
}

/** Resolves once all of it was taken. @throws what the system says */
export async function writeWhole(fd: number, content: Buffer): Promise<void> {
  for (let at = 0; at < content.length; ) {
    const { bytesWritten } = await promisify(write)(fd, content, at, content.length - at, null);
    at += bytesWritten;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: "the disk's quota is used up",
  EFBIG: 'files must not become so large here',
  EACCES: 'there is no permission',
  EPERM: 'there is no permission',
  EROFS: 'the file system is read-only',
  ENOENT: 'the folder does not exist',
  ENOTDIR: 'the folder is a file',
  EISDIR: 'it is a folder',
};

/** In words, if there are some. */
export function reasonOf(error: NodeJS.ErrnoException): string {
  return REASONS[error.code ?? ''] ?? error.message;
}

export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';
}
