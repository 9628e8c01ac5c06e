/**
 * Standard input and output as plain, blocking reads and writes of file descriptors.
 *
 * `process.stdout.write` on a pipe is asynchronous: what has not left when the process ends is lost, and a
 * truncated ResourceList makes kpt delete files. `process.stdin` and `process.stdout` also take some
 * milliseconds to set up. Reading and writing descriptors until all is through has neither fault, on any
 * supported Node.js and under its permission model, which does not restrict descriptors that are already open.
 */
import { fstatSync, readSync, writeSync } from 'node:fs';

const chunkSize = 1024 * 1024;
/** Pause before trying a descriptor again that some other process has made non-blocking. */
const pauseMilliseconds = 2;

/**
 * Everything from stdin, up to its end.
 *
 * @throws the system's error if stdin is closed or unreadable.
 */
export function readStdin(): Uint8Array {
  const chunks: Uint8Array[] = [];
  // A file tells its size, a pipe zero. One byte more, so that its end is found without another chunk.
  let chunk = new Uint8Array(Math.max(chunkSize, fstatSync(0).size + 1));
  let filled = 0;
  for (;;) {
    if (filled === chunk.length) {
      chunks.push(chunk);
      chunk = new Uint8Array(chunkSize);
      filled = 0;
    }
    const count = retry(() => readSync(0, chunk, filled, chunk.length - filled, null), 'EOF');
    if (count === undefined || count === 0) break;
    filled += count;
  }
  chunks.push(chunk.subarray(0, filled));
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

/**
 * Writes all bytes to a descriptor, however slowly the other side reads. Returns false if the other side has
 * closed it (`EPIPE`): nobody is left to be told anything.
 *
 * @throws the system's error for any other failure, such as a full disk.
 */
export function writeFully(fd: number, bytes: Uint8Array): boolean {
  for (let written = 0; written < bytes.length; ) {
    const from = written;
    const count = retry(() => writeSync(fd, bytes, from, bytes.length - from), 'EPIPE');
    if (count === undefined) return false;
    written += count;
  }
  return true;
}

/** Calls until the descriptor is ready; `undefined` if it fails with the given code. */
function retry(call: () => number, expected: string): number | undefined {
  for (;;) {
    try {
      return call();
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === expected) return undefined;
      if (code !== 'EAGAIN' && code !== 'EINTR') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMilliseconds);
    }
  }
}
